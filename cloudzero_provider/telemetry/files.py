"""
Records in files.

A ``.csv`` or ``.csv.gz`` has the columns ``timestamp``, ``value``, ``element_name`` (allocation) and, if need be,
``granularity``. Every other column is a filter column, as in CloudZero's own CSV upload
(https://docs.cloudzero.com/docs/send-via-csv): its name is the filter key, each cell one value, an empty cell no
filter.

A ``.jsonl`` or ``.ndjson`` file, with or without ``.gz``, has one record per line, as CloudZero's API takes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloudzero_provider.exceptions import InputError
from cloudzero_provider.sources import Rows, from_files
from cloudzero_provider.telemetry.kinds import KINDS

if TYPE_CHECKING:
    from cloudzero_provider.telemetry.kinds import RecordKind


def read_records(files: Any, kind: RecordKind) -> Rows:
    """
    Read records from files.

    :param files: a path or a list of paths.
    :param kind: of the records.
    :raises InputError: naming file and line.
    """
    return from_files(files, json_lines=True, reshape_csv=lambda rows: _folded(rows, kind))


def _folded(rows: Rows, kind: RecordKind) -> Rows:
    """Make one field of the filter columns."""
    if kind.keys_field in rows.columns:
        raise InputError(
            f"{rows.where(0) if rows.count else 'The file'}: a CSV file has a column per filter key, not a column "
            f"{kind.keys_field!r}; nest them in a .jsonl file."
        )
    known = {field for any_kind in KINDS.values() for field in any_kind.fields}
    for name in rows.columns:
        if name not in kind.fields and name.casefold() in known:
            raise InputError(
                f"{rows.where(0) if rows.count else 'The file'}: the column {name!r} is no filter key; the fields of "
                f"{kind.stream_type.value} records are {', '.join(kind.fields)}."
            )
    plain = {name: values for name, values in rows.columns.items() if name in kind.fields}
    filters = [name for name in rows.columns if name not in kind.fields]
    if not filters:
        return rows
    cells = [list(rows.columns[name]) for name in filters]
    folded = [
        {name: [value] if kind.lists_values else value for name, value in zip(filters, row, strict=True) if value}
        for row in zip(*cells, strict=True)
    ]
    return Rows({**plain, kind.keys_field: folded}, rows.count, rows.where)
