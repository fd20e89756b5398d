"""Trailing zeros of decimal text, for a single value and for a column."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


def strip_trailing_zeros(text: str) -> str:
    """
    Remove the zeros after the point that mean nothing: ``1.50`` becomes ``1.5``, ``100`` stays.

    :param text: decimal text without an exponent.
    """
    return text.rstrip("0").rstrip(".") if "." in text else text


def strip_trailing_zeros_expr(text: pl.Expr) -> pl.Expr:
    """
    Do the same with a column, each text of which has a point.

    :param text: decimal text without an exponent.
    """
    return text.str.strip_chars_end("0").str.strip_suffix(".")
