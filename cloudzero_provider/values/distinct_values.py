"""Treat each distinct value of a column once: a month has many rows, and few distinct times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from polars.datatypes import DataTypeClass


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
    found = convert(distinct)
    numbers = pl.int_range(len(distinct), dtype=pl.UInt32, eager=True)
    # Also where no value changes: rows that share few texts are then read from a few places in memory.
    rows = values.replace_strict(distinct, numbers, return_dtype=pl.UInt32)
    return pl.DataFrame([_of_rows(column, rows) for column in found])


def looked_up(
    values: pl.Series,
    known: pl.Series | Sequence[str],
    results: pl.Series | Sequence[str],
    dtype: pl.DataType | DataTypeClass = pl.String,
) -> pl.Series:
    """
    Look up the result of each value.

    :param values: the column.
    :param known: distinct values that have a result.
    :param results: the results, in the same order.
    :param dtype: type of the results.
    :return: one result per value of the column; null where there is none.
    """
    return values.replace_strict(known, results, default=None, return_dtype=dtype)


def _of_rows(column: pl.Series, rows: pl.Series) -> pl.Series:
    return column.new_from_index(0, len(rows)) if column.n_unique() == 1 else column.gather(rows)
