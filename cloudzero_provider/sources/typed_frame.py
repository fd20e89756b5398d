"""Convert rows to a frame for the user's transforms, without changing a value."""

from __future__ import annotations

import json
import math
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from cloudzero_provider.sources.numpy_values import plain_values
from cloudzero_provider.values.conversion import as_text, decimal_text, plain_decimals, text_of
from cloudzero_provider.values.problems import Problems

if TYPE_CHECKING:
    from cloudzero_provider.sources.rows import Rows
    from cloudzero_provider.values.python_values import Values

_INT64 = range(-(2**63), 2**63)
#: Digits of a polars Decimal, before and after the decimal point together.
DECIMAL_DIGITS = 38


def to_frame(rows: Rows) -> pl.DataFrame:
    """
    Convert rows to a frame. Text stays text, and an empty string becomes null; numbers stay exact.

    :param rows: rows as given. Columns of polars keep their types. Python's integers become Int64, Decimals Decimal,
        floats Float64, bytes Binary, and times with a zone Datetime in UTC. A column of mixed types becomes text, and
        nested values become JSON.
    :raises InvalidRowsError: for values that can't become text.
    """
    problems = Problems(rows)
    series = {}
    for name, values in rows.columns.items():
        typed = _as_typed_series(values)
        if typed is None:
            column = as_text(values, _cell_text)
            problems.add_each(column.bad, name, values)
            typed = column.strings
        series[name] = typed.alias(name)
    problems.raise_if_any()
    return pl.DataFrame(series)


def _as_typed_series(values: Values) -> pl.Series | None:
    if isinstance(values, pl.Series):
        return values.set(values == "", None) if values.dtype == pl.String else values
    kinds = set(map(type, values)) - {type(None)}
    if not kinds:
        return None
    if kinds <= {bytes, bytearray, memoryview}:
        return pl.Series(values=[None if value is None else bytes(value) for value in values], dtype=pl.Binary)
    numbers = _number_series(values, kinds)
    return _time_series(values, kinds) if numbers is None else numbers


def _number_series(values: list[Any], kinds: set[type]) -> pl.Series | None:
    if kinds == {bool}:
        return pl.Series(values=values, dtype=pl.Boolean)
    if kinds == {float}:
        return pl.Series(values=values, dtype=pl.Float64)
    if kinds == {int} and all(value is None or value in _INT64 for value in values):
        return pl.Series(values=values, dtype=pl.Int64)
    if kinds <= {int, Decimal}:
        decimal, bad = decimal_series(values)
        return None if bad else decimal
    return None


def _time_series(values: list[Any], kinds: set[type]) -> pl.Series | None:
    if kinds == {date}:
        return pl.Series(values=values, dtype=pl.Date)
    # pandas' NaT is a datetime that is not equal to itself.
    if not all(issubclass(kind, datetime) for kind in kinds) or any(value != value for value in values):
        return None
    zoned = {value.tzinfo is not None for value in values if value is not None}
    if zoned == {True}:
        try:
            in_utc = [None if value is None else value.astimezone(timezone.utc) for value in values]
        except OverflowError:
            return None
        return pl.Series(values=in_utc, dtype=pl.Datetime("us", "UTC"))
    return pl.Series(values=values, dtype=pl.Datetime("us")) if zoned == {False} else None


def decimal_series(values: Values) -> tuple[pl.Series | None, dict[int, str]]:
    """Convert numbers to exact decimals; ``None`` if they need more digits than polars has."""
    column = plain_decimals(as_text(values, decimal_text))
    parts = column.strings.str.strip_prefix("-").str.split_exact(".", 1).struct.unnest()
    whole, fraction = parts.select(pl.all().str.len_bytes().max().fill_null(0)).row(0)
    if whole + fraction > DECIMAL_DIGITS:
        return None, column.bad
    return column.strings.cast(pl.Decimal(DECIMAL_DIGITS, fraction)), column.bad


def _cell_text(value: Any) -> str:
    if isinstance(value, str):
        return text_of(value)
    if isinstance(value, (dict, list, tuple)):
        return text_of(json.dumps(_json_value(value), ensure_ascii=False))
    text = value.isoformat() if isinstance(value, (date, datetime)) else str(value)
    if text in ("nan", "NaT"):
        raise ValueError(f"{text} among values of other types: write None for a missing value")
    # The text of some objects is not their value, like <memory at 0x7f…> and <NA>.
    if isinstance(value, (bytes, bytearray)) or text.startswith("<"):
        raise ValueError(f"expected text, a number or a time, not {type(value).__name__}")
    return text


def _json_value(value: Any) -> Any:
    """
    Convert a nested value to JSON types. NaN, NA and NaT become null, as they do at the top level.

    :raises ValueError: for values without a JSON form, since their ``str`` is not the user's value.
    """
    if isinstance(value, dict):
        return {key: _json_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json_value(item) for item in value]
    (plain,) = plain_values([value])
    if plain is None or isinstance(plain, (str, int)) or (isinstance(plain, float) and math.isfinite(plain)):
        return plain
    if isinstance(plain, Decimal) and plain.is_finite():
        return str(plain)
    if isinstance(plain, (date, datetime)):
        return plain.isoformat()
    raise ValueError(f"it contains a {type(value).__name__}: expected text, numbers or times")
