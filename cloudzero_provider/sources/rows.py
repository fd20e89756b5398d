"""Rows, stored as columns, and their concatenation."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import chain, islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeVar

import polars as pl

from cloudzero_provider.exceptions import InputError
from cloudzero_provider.values.python_values import Values, as_objects
from cloudzero_provider.values.row_places import row_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

Item = TypeVar("Item")

#: Errors of polars. ``PanicException``, raised for values it does not expect, is not an ``Exception``.
POLARS_ERRORS = (pl.exceptions.PolarsError, pl.exceptions.PanicException)
#: Rows that are converted to columns per step.
BLOCK = 20_000
_MOST_CELLS = 100_000_000
#: No real table has more columns.
_MOST_COLUMNS = 1_000


@dataclass(frozen=True)
class Rows:
    """
    The rows of a source.

    :param columns: name → values, all of one length: Python objects, or a polars Series.
    :param count: number of rows.
    :param where: returns the place of a row (counted from 0), for errors.
    :param is_table: whether they come from a table (CSV, SQL, a data frame) rather than from records.
    :param month_hint: what to do about rows of another month, appended to that error.
    :param source: what the rows were read from, like ``bill.csv``, for errors; empty if it has no name.
    """

    columns: Mapping[str, Values] = field(repr=False)
    count: int
    where: Callable[[int], str] = field(repr=False)
    is_table: bool = False
    month_hint: str = ""
    source: str = ""


def joined(parts: list[Rows]) -> Rows:
    """
    Concatenate rows.

    :param parts: their columns may differ; a column that a part lacks has no values for its rows.
    """
    if len(parts) == 1:
        return parts[0]
    counts = [part.count for part in parts]
    names = dict.fromkeys(chain.from_iterable(part.columns for part in parts))
    check_cells(len(names), sum(counts))
    columns = {name: _joined_column([part.columns.get(name) for part in parts], counts) for name in names}
    starts = [sum(counts[:number]) for number in range(len(parts))]
    # Without the parts, so that their columns are not held.
    places = [part.where for part in parts]

    def where(index: int) -> str:
        number = bisect_right(starts, index) - 1
        return places[number](index - starts[number])

    return Rows(columns, sum(counts), where, any(part.is_table for part in parts), source=_joined_source(parts))


def _joined_source(parts: list[Rows]) -> str:
    first, *others = dict.fromkeys(part.source for part in parts) or [""]
    return f"{first} and {len(others):,} other file{'s'[: len(others) != 1]}" if others else first


def _joined_column(parts: list[Values | None], counts: list[int]) -> Values:
    present = [part for part in parts if part is not None]
    # The type of a part without values is arbitrary.
    dtypes = set(map(_dtype, filter(_has_values, present))) or set(map(_dtype, present))
    dtype = dtypes.pop()
    if dtypes or dtype is None:
        return list(chain.from_iterable(map(_objects, parts, counts)))
    return pl.concat(
        part
        if isinstance(part, pl.Series) and part.dtype == dtype
        else pl.Series([None], dtype=dtype).new_from_index(0, count)
        for part, count in zip(parts, counts, strict=True)
    )


def _dtype(part: Values) -> pl.DataType | None:
    return part.dtype if isinstance(part, pl.Series) else None


def _has_values(part: Values) -> bool:
    if isinstance(part, pl.Series):
        return part.null_count() < len(part)
    return not set(map(type, part)) <= {type(None)}


def _objects(part: Values | None, count: int) -> list[Any]:
    return [None] * count if part is None else as_objects(part)


def blocks_of(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Split items into lists that are short enough for a processor's cache, and long enough for polars."""
    iterator = iter(items)
    while block := list(islice(iterator, BLOCK)):
        yield block


def columns_of(
    blocks: Iterable[list[Mapping[str, Any]]], as_plain: Callable[[list[Any]], list[Any]] | None = None
) -> tuple[dict[str, Values], int]:
    """
    Convert rows to columns, block by block, so that they are never all in memory as dicts.

    :param blocks: dicts of columns and values; iterated once.
    :param as_plain: applied to the values of each column of a block.
    :return: the columns, and the number of rows.
    """
    parts = [_block(block, as_plain) for block in blocks]
    if not parts:
        return {}, 0
    whole = joined(parts)
    return dict(whole.columns), whole.count


def names_of(rows: Iterable[Mapping[Any, Any]]) -> dict[Any, None]:
    """Return the names of the columns of rows, in the order in which they first appear."""
    # Most rows have the same names.
    return dict.fromkeys(chain.from_iterable(dict.fromkeys(map(tuple, rows))))


def _block(rows: list[Mapping[str, Any]], as_plain: Callable[[list[Any]], list[Any]] | None) -> Rows:
    names = names_of(rows)
    check_cells(len(names), len(rows))
    # Only a plain dict is sure not to make up a value for a key that it lacks.
    read = _column if set(map(type, rows)) == {dict} else _column_with_gaps
    columns = {name: read(name, rows) for name in names}
    if as_plain is not None:
        columns = {name: as_plain(values) for name, values in columns.items()}
    return Rows({name: compact(values) for name, values in columns.items()}, len(rows), row_number)


def _column(name: str, rows: list[Mapping[str, Any]]) -> list[Any]:
    try:
        return list(map(itemgetter(name), rows))
    except KeyError:
        return _column_with_gaps(name, rows)


def _column_with_gaps(name: str, rows: list[Mapping[str, Any]]) -> list[Any]:
    return [row.get(name) for row in rows]


def compact(values: list[Any]) -> Values:
    """Store strings, the most common type, in a polars Series, which needs a fraction of the memory."""
    if set(map(type, values)) <= {str, type(None)}:
        try:
            return pl.Series(values=values, dtype=pl.String)
        except UnicodeEncodeError:
            pass
    return values


def check_cells(columns: int, rows: int) -> None:
    """Refuse rows that each have their own columns, a mistake that would exhaust memory."""
    if columns > _MOST_COLUMNS and columns * rows > _MOST_CELLS:
        raise InputError(f"{rows:,} rows have {columns:,} different columns, which is more than can be read.")


def is_text(value: object) -> bool:
    """Whether a value is text that can be sent: not empty, and valid Unicode."""
    if not isinstance(value, str) or not value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
