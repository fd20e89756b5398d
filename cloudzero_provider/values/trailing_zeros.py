"""Strip trailing zeros of decimal strings, one or a column of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


def strip_trailing_zeros(text: str) -> str:
    """
    Remove insignificant zeros after the decimal point: ``1.50`` becomes ``1.5``, ``100`` stays.

    :param text: decimal string without an exponent.
    """
    return text.rstrip("0").rstrip(".") if "." in text else text


def strip_trailing_zeros_expr(text: pl.Expr) -> pl.Expr:
    """
    Do the same with a column whose values all have a decimal point.

    :param text: decimal strings without an exponent.
    """
    return text.str.strip_chars_end("0").str.strip_suffix(".")
