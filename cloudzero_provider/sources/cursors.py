"""Read the result of a query from a database cursor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cloudzero_provider.exceptions import InputError
from cloudzero_provider.sources.rows import BLOCK, Rows, check_cells, compact, is_text, joined

if TYPE_CHECKING:
    from cloudzero_provider.values.python_values import Values


def from_cursor(cursor: Any) -> Rows | None:
    """
    Read all rows of a query in batches. Values stay the objects that the database's driver returns.

    :param cursor: of a DB-API connection, after ``execute``.
    :return: ``None`` when the statement was not a query.
    :raises InputError: when two columns have the same name.
    """
    if cursor.description is None:
        return None
    names = [column[0] for column in cursor.description]
    _check_names(names)
    parts = list(_parts(cursor, names))
    if not parts:
        return Rows({name: [] for name in names}, 0, _row_of_query, is_table=True)
    return replace(joined(parts), where=_row_of_query)


def _row_of_query(index: int) -> str:
    return f"row {index + 1:,} of the query"


def _check_names(names: list[Any]) -> None:
    for number, name in enumerate(names, start=1):
        if not is_text(name):
            raise InputError(f'Column {number} of the query has no name: give it one (AS "cost/cost").')
        if names.index(name) < number - 1:
            raise InputError(f'The query has two columns {name!r}: give each its own name (AS "cost/cost").')


def _parts(cursor: Any, names: list[str]) -> Iterator[Rows]:
    count = 0
    while batch := cursor.fetchmany(BLOCK):
        count += len(batch)
        check_cells(len(names), count)
        cells = [row.values() if isinstance(row, Mapping) else row for row in batch]
        columns: dict[str, Values] = {
            name: compact(list(values)) for name, values in zip(names, zip(*cells, strict=True), strict=True)
        }
        yield Rows(columns, len(batch), _row_of_query, is_table=True)
