"""Convert each distinct value of a column once: a month has many rows, and few distinct times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable


def by_distinct(values: pl.Series, convert: Callable[[pl.Series], pl.DataFrame]) -> pl.DataFrame:
    """
    Convert a column value by value.

    :param values: the column.
    :param convert: returns a row for each value, which depends on that value alone.
    :return: a row for each value of the column, as ``convert(values)`` would return.
    """
    distinct = values.unique()
    if 2 * len(distinct) >= len(values):
        return convert(values)
    rows = pl.int_range(len(distinct), dtype=pl.UInt32, eager=True)
    return convert(distinct).select(pl.all().gather(values.replace_strict(distinct, rows, return_dtype=pl.UInt32)))
