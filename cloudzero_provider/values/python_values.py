"""Convert polars values to Python objects."""

from __future__ import annotations

from typing import Any

import polars as pl

Values = list[Any] | pl.Series

_DAY = 24 * 60 * 60
_PER_SECOND = {"ms": 10**3, "us": 10**6, "ns": 10**9}
#: The years 2 to 9998 in seconds since 1970. No time zone moves them outside Python's calendar.
_CALENDAR = (-62_104_060_800, 253_370_764_799)


def as_objects(values: Values) -> list[Any]:
    """
    Return values as Python objects; a list is returned unchanged.

    A 32-bit float becomes the shortest decimal that identifies it: 0.1, not 0.10000000149. Times outside
    Python's calendar become the integers that polars stores.
    """
    if not isinstance(values, pl.Series):
        return values
    if values.dtype == pl.Float32:
        return values.cast(pl.String).cast(pl.Float64).to_list()
    if values.dtype != pl.Date and not isinstance(values.dtype, pl.Datetime):
        return values.to_list()
    beyond = beyond_calendar(values)
    objects = null_where(values, beyond).to_list()
    for index in beyond.arg_true():
        objects[index] = values.to_physical()[index]
    return objects


def beyond_calendar(values: pl.Series) -> pl.Series:
    """Mask of dates and times that polars can store, but can't format or convert to Python objects."""
    numbers = values.to_physical().cast(pl.Int64)
    dtype = values.dtype
    seconds = numbers // _PER_SECOND[dtype.time_unit] if isinstance(dtype, pl.Datetime) else numbers * _DAY
    return ~seconds.is_between(*_CALENDAR).fill_null(value=True)


def null_where(values: pl.Series, mask: pl.Series) -> pl.Series:
    """Replace masked values with null."""
    # In polars 1.20, Series.set does this only for some types.
    return pl.select(pl.when(~mask).then(values)).to_series()


def no_strings(count: int) -> pl.Series:
    """A text column of nulls."""
    return pl.repeat(None, count, dtype=pl.String, eager=True)


def without_empty(strings: pl.Series) -> pl.Series:
    """Replace empty strings with null. Without any, the column is returned as it is, which costs no memory."""
    empty = strings == ""
    return null_where(strings, empty) if empty.any() else strings
