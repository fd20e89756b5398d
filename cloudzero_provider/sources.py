"""
Rows in: what a user hands over, as columns of values that are still as they came.

No value is changed or guessed here. :mod:`cloudzero_provider.anycost` decides what a column means.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import zlib
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain
from typing import Any, TextIO

import polars as pl

from cloudzero_provider.exceptions import InputError, InvalidRowsError, Problem

Values = list[Any] | pl.Series
_CSV = (".csv", ".csv.gz")
_JSON_LINES = (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz")
_MOST_CELLS = 100_000_000
_BLOCK = 20_000
_LONGEST_CELL = 16_000_000
_UNREADABLE = (UnicodeDecodeError, gzip.BadGzipFile, EOFError, zlib.error, csv.Error)


@dataclass(frozen=True)
class Rows:
    """
    Rows as they came.

    :param columns: name → values, all of one length: Python objects, or text read from a file.
    :param count: how many rows.
    :param where: says where a row (counted from 0) stands, for error messages.
    """

    columns: Mapping[str, Values] = field(repr=False)
    count: int
    where: Callable[[int], str] = field(repr=False)


def row_number(index: int) -> str:
    """Say where a record stands: people count from 1."""
    return f"row {index + 1:,}"


def from_records(records: Any) -> Rows:
    """
    Take a list of dicts, or a list of such lists (what a mapped upstream task returns), which is strung together.

    :param records: one dict per row, column → value. A missing key, ``None`` and an empty text mean "no value".
    :raises InputError: when it is ``None`` or something else.
    """
    if records is None:
        raise InputError(
            "records is None: the upstream task returned nothing. Return an empty list when there are no rows."
        )
    rows = _flat(_sequence(records, "records"))
    wrong = next((index for index, row in enumerate(rows) if not isinstance(row, Mapping)), None)
    if wrong is not None:
        raise InputError(f"{row_number(wrong)} is a {type(rows[wrong]).__name__}, not a dict of column and value.")
    names = dict.fromkeys(chain.from_iterable(rows))
    _check_names(names, rows)
    _check_cells(len(names), len(rows))
    return Rows({name: [row.get(name) for row in rows] for name in names}, len(rows), row_number)


def _check_cells(columns: int, rows: int) -> None:
    """A name of its own in each row is a mistake, and would fill the memory."""
    if columns * rows > _MOST_CELLS:
        raise InputError(f"{rows:,} rows have {columns:,} different columns: too many to be meant.")


def _sequence(value: Any, what: str) -> list[Any]:
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        hint = (
            " A template gives text: hand over the task's output itself (records=task.output, or the value a "
            "@task function returned)."
            if isinstance(value, str)
            else ""
        )
        raise InputError(f"{what} is a {type(value).__name__}: expected a list of dicts.{hint}")
    return list(value)


def _flat(rows: list[Any]) -> list[Any]:
    """String together the lists that a mapped upstream task returned."""
    if not rows or not any(isinstance(part, Sequence) and not isinstance(part, (str, bytes)) for part in rows):
        return rows
    flat: list[Any] = []
    for number, part in enumerate(rows):
        if not isinstance(part, Sequence) or isinstance(part, (str, bytes)):
            raise InputError(
                f"records[{number}] is a {type(part).__name__} among lists of rows: a mapped upstream task must "
                "return a list of dicts each time (an empty list when there are no rows)."
            )
        flat.extend(part)
    return flat


def _check_names(names: Iterable[Any], rows: list[Any]) -> None:
    for name in names:
        if not isinstance(name, str) or not name or not _is_unicode(name):
            index = next(i for i, row in enumerate(rows) if name in row)
            raise InputError(f"{row_number(index)} has the column name {name!r}: names are non-empty Unicode text.")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def from_files(files: Any, *, json_lines: bool = False, reshape_csv: Callable[[Rows], Rows] | None = None) -> Rows:
    """
    Read files, one after the other.

    Values of a CSV file stay the text that is written; an empty cell means "no value"; an empty line is no row. Numbers
    in JSON lines are exact.

    :param files: a path, or a list of paths, ending in ``.csv`` or ``.csv.gz``.
    :param json_lines: also take ``.jsonl`` and ``.ndjson``, plain or gzipped.
    :param reshape_csv: applied to the rows of each CSV file.
    :raises InputError: when a file is missing or can't be read, naming file and line.
    """
    if files is None:
        raise InputError("files is None: the upstream task returned no path.")
    paths = [files] if isinstance(files, (str, os.PathLike)) else _sequence(files, "files")
    if not paths:
        raise InputError("files is an empty list: name at least one file.")
    parts = []
    for path in _distinct(paths):
        if path.endswith(_CSV):
            rows = _read(path, _csv_rows)
            parts.append(reshape_csv(rows) if reshape_csv else rows)
        elif json_lines and path.endswith(_JSON_LINES):
            parts.append(_read(path, _json_rows))
        else:
            known = ", ".join(_CSV + (_JSON_LINES if json_lines else ()))
            raise InputError(f"{path}: expected a file that ends in {known}.")
    return parts[0] if len(parts) == 1 else _joined(parts)


def _distinct(paths: Iterable[Any]) -> list[str]:
    """Refuse what is no path, and a file that is named twice: its rows would count twice."""
    found: dict[str, str] = {}
    for number, path in enumerate(paths):
        if not isinstance(path, (str, os.PathLike)) or not isinstance(os.fspath(path), str):
            raise InputError(f"files[{number}] is a {type(path).__name__}, not a path.")
        text = str(os.fspath(path))
        if "\0" in text:
            raise InputError(f"files[{number}] is {text!r}: a path holds no NUL character.")
        real = os.path.realpath(text)
        if real in found:
            raise InputError(f"{text} is the same file as {found[real]}: its rows would count twice.")
        found[real] = text
    return list(found.values())


def _read(path: str, read: Callable[[str, TextIO], Rows]) -> Rows:
    try:
        with _open_text(path) as stream:
            return read(path, stream)
    except OSError as error:
        raise InputError(f"{path}: the file can't be read ({error.strerror or error}).") from None


def _json_rows(path: str, stream: TextIO) -> Rows:
    rows: list[dict[str, Any]] = []
    lines = array("Q")
    number = 0
    try:
        for number, line in enumerate(stream, start=1):
            if line.strip():
                row = json.loads(line, parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_no_twins)
                if not isinstance(row, dict):
                    raise ValueError("expected a JSON object")
                rows.append(row)
                lines.append(number)
    except (*_UNREADABLE, ValueError, ArithmeticError, RecursionError) as error:
        reason = str(error) if not isinstance(error, ArithmeticError) else "a number that is out of all bounds"
        raise InputError(f"{path}, line {number + isinstance(error, _UNREADABLE):,}: {reason}.") from None
    names = dict.fromkeys(chain.from_iterable(rows))
    _check_cells(len(names), len(rows))
    columns: dict[str, Values] = {name: [row.get(name) for row in rows] for name in names}
    return Rows(columns, len(rows), lambda index: f"{path}, line {lines[index]:,}")


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _open_text(path: str) -> TextIO:
    if path.endswith(".gz"):
        return io.TextIOWrapper(gzip.open(path), encoding="utf-8-sig", newline="")
    return open(path, encoding="utf-8-sig", newline="")


def _csv_rows(path: str, stream: TextIO) -> Rows:
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))
    reader = csv.reader(stream, strict=True)
    lines = array("Q")
    try:
        header = next((line for line in reader if line), None)
        _check_header(path, header, reader.line_num)
        width = len(header or ())
        blocks: list[list[pl.Series]] = []
        block: list[list[str]] = []
        before = reader.line_num
        for cells in reader:
            if len(cells) != width:
                if cells:
                    raise _wrong_width(path, before + 1, len(cells), width)
            else:
                lines.append(before + 1)
                block.append(cells)
                if len(block) == _BLOCK:
                    blocks.append(_as_columns(block, width))
                    block = []
            before = reader.line_num
        blocks.append(_as_columns(block, width))
    except _UNREADABLE as error:
        reason = "the file is no valid UTF-8" if isinstance(error, UnicodeDecodeError) else f"{error}"
        raise InputError(f"{path}, after line {reader.line_num:,}: {reason}.") from None
    columns: dict[str, Values] = {
        name: pl.concat([columns[i] for columns in blocks]) for i, name in enumerate(header or ())
    }
    return Rows(columns, len(lines), lambda index: f"{path}, line {lines[index]:,}")


def _as_columns(block: list[list[str]], width: int) -> list[pl.Series]:
    if not block:
        return [pl.Series(dtype=pl.String) for _ in range(width)]
    return [pl.Series(values=cells, dtype=pl.String) for cells in zip(*block, strict=True)]


def _check_header(path: str, header: list[str] | None, line: int) -> None:
    if not header:
        raise InputError(f"{path}: the file is empty: expected a header line with the columns' names.")
    if "" in header:
        raise InputError(f"{path}, line {line}: column {header.index('') + 1} has no name.")
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise InputError(f"{path}, line {line}: the header names {', '.join(map(repr, twice))} twice.")


def _wrong_width(path: str, line: int, found: int, expected: int) -> InputError:
    rule = f"{found} cells, but the header has {expected}"
    return InvalidRowsError([Problem(f"{path}, line {line:,}", None, None, rule)], 1)


def _joined(parts: list[Rows]) -> Rows:
    names = list(dict.fromkeys(name for part in parts for name in part.columns))
    columns: dict[str, Values] = {name: _joined_column([_column(name, part) for part in parts]) for name in names}
    starts = [sum(part.count for part in parts[:number]) for number in range(len(parts))]

    def where(index: int) -> str:
        number = max(n for n, start in enumerate(starts) if start <= index and parts[n].count)
        return parts[number].where(index - starts[number])

    return Rows(columns, sum(part.count for part in parts), where)


def _column(name: str, part: Rows) -> Values:
    return part.columns[name] if name in part.columns else [None] * part.count


def _joined_column(parts: list[Values]) -> Values:
    if any(isinstance(part, pl.Series) for part in parts) and all(_is_text(part) for part in parts):
        return pl.concat([pl.Series(values=part, dtype=pl.String) for part in parts])
    return list(chain.from_iterable(parts))


def _is_text(values: Values) -> bool:
    return isinstance(values, pl.Series) or set(map(type, values)) <= {type(None)}
