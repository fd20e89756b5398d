"""Convert values to what CloudZero accepts: exact decimal strings, ISO 8601 timestamps, text."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from cloudzero_provider.values.distinct_values import by_distinct
from cloudzero_provider.values.python_values import as_objects, beyond_calendar, null_where, without_empty
from cloudzero_provider.values.time_formats import NOT_TIMESTAMP
from cloudzero_provider.values.trailing_zeros import strip_trailing_zeros, strip_trailing_zeros_expr

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloudzero_provider.values.python_values import Values

#: A decimal as it is sent: without an exponent or a plus sign. The limits on its length keep every total exact.
WIRE_DECIMAL = r"^-?[0-9]{1,18}(\.[0-9]{1,30})?$"
#: Those of them that have no insignificant zeros.
_CANONICAL = r"^(?:0|-?(?:[1-9][0-9]{0,17}(?:\.[0-9]{0,29}[1-9])?|0\.[0-9]{0,29}[1-9]))$"
_HAS_TRAILING_ZEROS = r"^-?[0-9]+\.[0-9]*0$"
_HAS_LEADING_ZEROS = r"^-?0+[0-9]+(\.[0-9]+)?$|^-0(\.0+)?$"
_ANY_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")
_LONGEST_INTEGER_BITS = 256

NOT_DECIMAL = "not a decimal number"
TOO_LONG = "more than 18 digits before the decimal point or 30 after it (round it first)"


@dataclass
class Converted:
    """
    A column as text.

    :param strings: one per row; null for a missing or bad value.
    :param bad: row index → the rule it breaks.
    :param truncated: number of timestamps that were truncated.
    """

    strings: pl.Series
    bad: dict[int, str] = field(default_factory=dict)
    truncated: int = 0


def as_text(values: Values, to_text: Callable[[Any], str]) -> Converted:
    """
    Convert the values of a column to text; ``None`` and empty strings become null.

    :param values: Python objects, or a polars Series.
    :param to_text: converts a single object; raises ``ValueError`` with the rule that it breaks.
    """
    converted = _as_text(values, to_text)
    converted.strings = without_empty(converted.strings)
    return converted


def _as_text(values: Values, to_text: Callable[[Any], str]) -> Converted:
    if isinstance(values, pl.Series):
        formatted = _format_by_polars(values, to_text)
        if formatted is not None:
            return Converted(formatted)
        values = as_objects(values)
    if set(map(type, values)) <= {str, type(None)}:
        try:
            return Converted(pl.Series(values=values, dtype=pl.String))
        except UnicodeEncodeError:
            pass
    strings: list[str | None] = []
    bad: dict[int, str] = {}
    for index, value in enumerate(values):
        try:
            strings.append(None if value is None else to_text(value))
        except ValueError as error:
            strings.append(None)
            bad[index] = str(error)
    return Converted(pl.Series(values=strings, dtype=pl.String), bad)


def _format_by_polars(values: pl.Series, to_text: Callable[[Any], str]) -> pl.Series | None:
    """Format values with polars, if the result is the same as that of ``to_text``; else return ``None``."""
    dtype = values.dtype
    if dtype == pl.String:
        return values
    if dtype.is_integer() and to_text in (text_of, decimal_text):
        return values.cast(pl.String)
    if (dtype.is_decimal() or dtype.is_float()) and to_text is decimal_text:
        return values.cast(pl.String)
    if to_text is timestamp_text and dtype == pl.Date:
        return _format_times(values, "%Y-%m-%d")
    if to_text is timestamp_text and isinstance(dtype, pl.Datetime):
        zone = "Z" if dtype.time_zone in (None, "UTC") else "%:z"
        return _format_times(values, f"%Y-%m-%dT%H:%M:%S%.f{zone}")
    return None


def _format_times(values: pl.Series, time_format: str) -> pl.Series:
    return by_distinct(values, lambda times: _formatted(times, time_format).to_frame()).to_series()


def _formatted(times: pl.Series, time_format: str) -> pl.Series:
    beyond = beyond_calendar(times)
    formatted = null_where(times, beyond).dt.strftime(time_format)
    return formatted.zip_with(~beyond, times.to_physical().cast(pl.String))


def text_of(value: object) -> str:
    """Return a string unchanged, and an integer as a string."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("not valid Unicode text") from None
        return str.__str__(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return _whole_number(value)
    raise ValueError(f"expected text, not {type(value).__name__}")


def decimal_text(value: object) -> str:
    """Convert a number to an exact decimal string, possibly with an exponent."""
    if isinstance(value, str):
        return text_of(value)
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise ValueError(f"{NOT_DECIMAL}: expected int, float, Decimal or text, not {type(value).__name__}")
    if isinstance(value, int):
        return _whole_number(value)
    if not (value.is_finite() if isinstance(value, Decimal) else math.isfinite(value)):
        raise ValueError(f"{NOT_DECIMAL}: NaN and infinity can't be sent")
    return Decimal.__str__(value) if isinstance(value, Decimal) else float.__repr__(value)


def _whole_number(value: int) -> str:
    # Python refuses to format integers of thousands of digits.
    if value.bit_length() > _LONGEST_INTEGER_BITS:
        raise ValueError(TOO_LONG)
    return int.__repr__(value)


def timestamp_text(value: object) -> str:
    """Convert a date or datetime to ISO 8601; a string is returned unchanged."""
    if isinstance(value, str):
        return text_of(value)
    try:
        if isinstance(value, datetime):
            return value.isoformat()
    except (ValueError, OverflowError):
        raise ValueError(NOT_TIMESTAMP) from None
    if isinstance(value, date):
        return value.isoformat()
    raise ValueError(f"{NOT_TIMESTAMP}: expected text, a date or a datetime, not {type(value).__name__}")


def plain_decimals(column: Converted) -> Converted:
    """Normalize decimals: no exponent, no insignificant zeros, so that equal numbers are equal strings."""
    is_plain = column.strings.str.contains(_CANONICAL)
    if is_plain.all():
        return column
    unusual = (~is_plain).fill_null(value=False).arg_true()
    shorter = _without_insignificant_zeros(column.strings.gather(unusual))
    others = (~shorter.str.contains(WIRE_DECIMAL)).arg_true()
    plain: list[str | None] = []
    for index, text in zip(unusual.gather(others).to_list(), shorter.gather(others).to_list(), strict=True):
        try:
            plain.append(_plain_decimal(text))
        except ValueError as error:
            plain.append(None)
            column.bad[index] = str(error)
    if plain:
        shorter = shorter.scatter(others, pl.Series(values=plain, dtype=pl.String))
    # scatter changes a Series in place, and this one may be the user's.
    column.strings = column.strings.clone().scatter(unusual, shorter)
    return column


def _without_insignificant_zeros(decimals: pl.Series) -> pl.Series:
    text = pl.col("text")
    trailing = text.str.contains(_HAS_TRAILING_ZEROS)
    shorter = (
        pl.when(trailing)
        .then(strip_trailing_zeros_expr(text))
        .otherwise(text)
        .str.replace(r"^(-?)0+([0-9])", "${1}${2}")
        .str.replace(r"^-0$", "0")
    )
    any_zeros = trailing | text.str.contains(_HAS_LEADING_ZEROS)
    stripped = pl.when(any_zeros).then(shorter).otherwise(text).alias(decimals.name)
    return decimals.to_frame("text").select(stripped).to_series()


def _plain_decimal(text: str) -> str:
    if not _ANY_DECIMAL.fullmatch(text):
        raise ValueError(NOT_DECIMAL)
    plain = strip_trailing_zeros(format(Decimal(text), "f"))
    plain = "0" if plain == "-0" else plain
    whole, _, fraction = plain.lstrip("-").partition(".")
    if len(whole) > 18 or len(fraction) > 30:
        raise ValueError(TOO_LONG)
    return plain


def checked(column: Converted, is_good: Callable[[str], bool], rule: str) -> Converted:
    """
    Check every distinct value against a rule.

    :param column: the values; rows that break the rule are added to its ``bad``.
    :param is_good: whether a value follows the rule.
    :param rule: the rule, for the error.
    """
    wrong = [text for text in column.strings.drop_nulls().unique().to_list() if not is_good(text)]
    if wrong:
        for index in column.strings.is_in(wrong).fill_null(False).arg_true().to_list():
            column.bad[index] = rule
    return column


def is_blank(values: Values) -> pl.Series:
    """Mask of the rows that have no value."""
    if isinstance(values, pl.Series):
        return values.is_null() | (values == "") if values.dtype == pl.String else values.is_null()
    if not any(issubclass(kind, (str, type(None))) for kind in set(map(type, values))):
        return pl.repeat(value=False, n=len(values), dtype=pl.Boolean, eager=True)
    return pl.Series(values=[value is None or (isinstance(value, str) and not value) for value in values])


def first_with_value(values: Values) -> int | None:
    """Index of the first row that has a value; ``None`` if none has."""
    with_value = (~is_blank(values)).arg_true()
    return int(with_value[0]) if len(with_value) else None
