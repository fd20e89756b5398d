"""
Records from tables: CSV and Parquet files, queries, data frames.

A table has the columns ``timestamp``, ``value``, ``element_name`` (allocation) and optionally ``granularity``. Every
other column is a filter column, as in CloudZero's own CSV upload (https://docs.cloudzero.com/docs/send-via-csv): its
name is the filter key, each cell is one value, and an empty cell means no filter. Instead of filter columns, a table
may have one column ``associated_cost`` (metric) or ``filter`` (allocation) of structs, maps or JSON objects as text.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import polars as pl

from cloudzero_provider.exceptions import InputError
from cloudzero_provider.sources import Rows, joined
from cloudzero_provider.sources.json_files import DuplicateKeyError, unique_keys
from cloudzero_provider.telemetry.filter_keys import as_dicts
from cloudzero_provider.telemetry.record_kinds import KINDS
from cloudzero_provider.values.conversion import as_text, text_of
from cloudzero_provider.values.did_you_mean import spelling_differences
from cloudzero_provider.values.problems import Problems
from cloudzero_provider.values.python_values import Values, as_objects

if TYPE_CHECKING:
    from cloudzero_provider.telemetry.record_kinds import RecordKind

#: Number of different JSON objects of a column that are parsed once each.
_MOST_REMEMBERED = 100_000


def as_records(rows: Rows, kind: RecordKind) -> Rows:
    """
    Convert the rows of a table to records. Rows that are already records are returned unchanged.

    :param rows: the rows of one source.
    :param kind: the kind of the records.
    :raises InputError: when a column is neither a field nor a valid filter key, or a record has a filter key twice.
    """
    if not rows.is_table:
        return rows
    if kind.keys_field in rows.columns:
        keys = _parse_keys(rows, kind.keys_field)
        return Rows({**rows.columns, kind.keys_field: keys}, rows.count, rows.where)
    _check_names(rows, kind)
    filters = {name: values for name, values in rows.columns.items() if name not in kind.fields}
    fields = {name: values for name, values in rows.columns.items() if name in kind.fields}
    if filters:
        fields[kind.keys_field] = _combined(filters, kind)
    return Rows(fields, rows.count, rows.where)


def joined_records(parts: list[Rows], kind: RecordKind) -> Rows:
    """
    Convert the rows of several sources to records, and concatenate them.

    :param parts: the rows of each source.
    :param kind: the kind of the records.
    :raises InputError: as :func:`as_records` does.
    """
    records = [as_records(part, kind) for part in parts]
    name = kind.keys_field
    columns = [part.columns[name] for part in records if name in part.columns]
    if len({values.dtype if isinstance(values, pl.Series) else None for values in columns}) > 1:
        # Structs of other fields, or dicts: only dicts have room for both.
        records = [
            replace(part, columns={**part.columns, name: as_dicts(part.columns[name], kind)})
            if name in part.columns
            else part
            for part in records
        ]
    return joined(records)


def _check_names(rows: Rows, kind: RecordKind) -> None:
    """Refuse columns that are most likely misspelled fields; they would silently become filter keys."""
    known = {field for any_kind in KINDS.values() for field in any_kind.fields}
    wrong = [name for name in rows.columns if name not in kind.fields and name.casefold() in known]
    missing = [name for name in kind.fields if name not in rows.columns]
    similar = spelling_differences(missing, [name for name in rows.columns if name not in kind.fields])
    if wrong or similar:
        where = rows.where(0) if rows.count else "The table"
        hint = f" Names are matched exactly: {similar} (in SQL, quote the name)." if similar else ""
        named = f"the column {wrong[0]!r} is not a valid filter key; " if wrong else ""
        raise InputError(
            f"{where}: {named}the fields of {kind.stream_type.value} records are {', '.join(kind.fields)}.{hint}"
        )


def _combined(filters: dict[str, Values], kind: RecordKind) -> Values:
    """
    Combine the filter columns into one field.

    :return: structs of strings; or dicts, if a value is not a string, for the checks to report.
    """
    texts = {name: as_text(values, text_of) for name, values in filters.items()}
    if not any(column.bad for column in texts.values()):
        return pl.DataFrame({name: column.strings for name, column in texts.items()}).to_struct(kind.keys_field)
    cells = [as_objects(filters[name]) if column.bad else column.strings.to_list() for name, column in texts.items()]
    return [
        {
            name: [value] if kind.lists_values else value
            for name, value in zip(filters, row, strict=True)
            if value is not None and value != ""
        }
        for row in zip(*cells, strict=True)
    ]


def _parse_keys(rows: Rows, name: str) -> list[Any]:
    values = rows.columns[name]
    parse = lru_cache(_MOST_REMEMBERED)(_from_json)
    keys: list[Any] = []
    bad: dict[int, str] = {}
    for index, value in enumerate(as_objects(values)):
        try:
            keys.append(parse(value) if isinstance(value, str) else _from_struct_or_map(value))
        except DuplicateKeyError:
            keys.append(None)
            bad[index] = "a filter key appears twice in one record"
    problems = Problems(rows)
    problems.add_each(bad, name, values)
    problems.raise_if_any()
    return keys


def _from_json(text: str) -> Any:
    """Parse a JSON object; anything else is returned unchanged for the checks to report."""
    if not text:
        return None
    try:
        value = json.loads(text, object_pairs_hook=unique_keys)
    except DuplicateKeyError:
        raise
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, dict) else text


def _from_struct_or_map(value: Any) -> Any:
    """Convert a struct, where null means that the record lacks the key, or a map of Parquet and Arrow to a dict."""
    if isinstance(value, list) and all(isinstance(item, dict) and item.keys() == {"key", "value"} for item in value):
        value = unique_keys([(item["key"], item["value"]) for item in value])
    if not isinstance(value, dict):
        return value
    return {key: item for key, item in value.items() if item is not None}
