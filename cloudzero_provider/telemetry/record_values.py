"""Values of telemetry records."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl

from cloudzero_provider.telemetry.record_kinds import SIGNIFICANT_DIGITS
from cloudzero_provider.values.conversion import Converted, as_text, decimal_text, plain_decimals
from cloudzero_provider.values.python_values import as_objects

if TYPE_CHECKING:
    from cloudzero_provider.values.python_values import Values

TOO_PRECISE = (
    f"more than the {SIGNIFICANT_DIGITS} significant digits that CloudZero keeps: round it first "
    "(floats are rounded automatically)"
)


def convert_values(values: Values) -> tuple[Converted, int]:
    """
    Convert values to JSON numbers.

    :param values: int, float, Decimal or decimal strings. Floats are rounded to 15 significant digits.
    :return: the numbers as strings, and how many floats were changed by rounding.
    """
    column, rounded = _rounded_floats(values) or _each_as_text(values)
    column = plain_decimals(column)
    long = (column.strings.str.len_bytes() > SIGNIFICANT_DIGITS).fill_null(False).arg_true()
    digits = column.strings.gather(long).str.replace_all(r"[-.]", "").str.strip_chars("0")
    for index in long.filter(digits.str.len_bytes() > SIGNIFICANT_DIGITS).to_list():
        column.bad[index] = TOO_PRECISE
    return column, rounded


def _rounded_floats(values: Values) -> tuple[Converted, int] | None:
    """Round a column of nothing but finite floats; ``None`` for any other column."""
    floats = _as_floats(values)
    if floats is None or not floats.is_finite().all():
        return None
    # The shortest notation has at most 15 digits if any notation of the same float has.
    strings = floats.cast(pl.String)
    others = (strings.str.len_bytes() > SIGNIFICANT_DIGITS + len(".")).fill_null(False).arg_true()
    longer = floats.gather(others)
    rounded = pl.Series(values=[f"{number:.{SIGNIFICANT_DIGITS}g}" for number in longer.to_list()], dtype=pl.String)
    changed = rounded.cast(pl.Float64) != longer
    return Converted(strings.scatter(others, rounded)), int(changed.sum())


def _as_floats(values: Values) -> pl.Series | None:
    if isinstance(values, pl.Series) and values.dtype == pl.Float64:
        return values
    is_float32 = isinstance(values, pl.Series) and values.dtype == pl.Float32
    if is_float32 or (isinstance(values, list) and set(map(type, values)) <= {float, type(None)}):
        return pl.Series(values=as_objects(values), dtype=pl.Float64)
    return None


def _each_as_text(values: Values) -> tuple[Converted, int]:
    rounded = 0

    def to_text(value: object) -> str:
        nonlocal rounded
        if isinstance(value, float) and math.isfinite(value):
            text = format(Decimal(f"{value:.{SIGNIFICANT_DIGITS}g}"), "f")
            rounded += float(text) != value
            return text
        return decimal_text(value)

    column = as_text(values, to_text)
    return column, rounded


def is_zero(decimals: pl.Series) -> pl.Series:
    """Mask of the values that are zero, in any notation."""
    return (~decimals.str.contains("[1-9]")).fill_null(False)
