"""Read CSV files. Every value stays text."""

from __future__ import annotations

import csv
from array import array
from typing import TYPE_CHECKING, TextIO

import polars as pl

from cloudzero_provider.exceptions import InputError, InvalidRowsError, Problem
from cloudzero_provider.sources.csv_polars import read_plain_csv
from cloudzero_provider.sources.csv_separators import COMMA, Separator, find_separator
from cloudzero_provider.sources.file_signatures import open_bytes
from cloudzero_provider.sources.frames import table
from cloudzero_provider.sources.rows import BLOCK, Rows
from cloudzero_provider.sources.text_files import UNREADABLE, open_text, unreadable

if TYPE_CHECKING:
    from cloudzero_provider.values.python_values import Values

_LONGEST_CELL = 16_000_000


def read_csv(name: str, path: str) -> Rows:
    """
    Read a CSV file. An empty cell means "no value"; empty lines are skipped.

    The separator is a comma, a semicolon, a tab or a pipe, as in the header.

    :param name: the file's name, for errors.
    :param path: the local path.
    :raises InputError: naming file and line.
    """
    separator = find_separator(name, path)
    frame = _read_with_polars(path, separator)
    if frame is not None:
        return table(frame, lambda index: f"{name}, line {index + 2:,}")
    with open_text(path) as stream:
        reader = _CsvReader(name, stream, separator)
        try:
            return reader.rows()
        except csv.Error as error:
            raise InputError(f"{name}, after line {reader.line:,}: {error}.") from None
        except UNREADABLE as error:
            raise InputError(unreadable(error, name, path, reader.line)) from None


def _read_with_polars(path: str, separator: Separator) -> pl.DataFrame | None:
    """Read a plain file; ``None`` for any other, which Python's reader then reads, or reports where it is broken."""
    if separator.is_named:
        return None
    try:
        with open_bytes(path) as file:
            return read_plain_csv(file, separator.character)
    except UNREADABLE:
        return None


class _CsvReader:
    def __init__(self, name: str, stream: TextIO, separator: Separator) -> None:
        csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))
        self.name = name
        self.separator = separator
        self.reader = csv.reader(stream, delimiter=separator.character, strict=True)

    @property
    def line(self) -> int:
        return self.reader.line_num

    def rows(self) -> Rows:
        full = (cells for cells in self.reader if cells)
        if self.separator.is_named:
            next(full)
        header = next(full, [])
        _check_header(self.name, header, self.line)
        width, lines = len(header), array("Q")
        blocks: list[list[pl.Series]] = []
        block: list[list[str]] = []
        before = self.line
        for cells in self.reader:
            if len(cells) == width:
                lines.append(before + 1)
                block.append(cells)
                if len(block) == BLOCK:
                    blocks.append(_as_columns(block, width))
                    block = []
            elif cells:
                raise self._wrong_width(before + 1, len(cells), width)
            before = self.line
        blocks.append(_as_columns(block, width))
        columns: dict[str, Values] = {
            column: pl.concat([columns[number] for columns in blocks]) for number, column in enumerate(header)
        }
        return Rows(columns, len(lines), lambda index: f"{self.name}, line {lines[index]:,}", is_table=True)

    def _wrong_width(self, line: int, found: int, expected: int) -> InputError:
        rule = f"{found} cells, but the header has {expected}"
        if self.separator.character != COMMA:
            rule += f" (separated by {self.separator.character!r}, as in the header)"
        return InvalidRowsError([Problem(f"{self.name}, line {line:,}", None, None, rule)], 1)


def _as_columns(block: list[list[str]], width: int) -> list[pl.Series]:
    if not block:
        return [pl.Series(dtype=pl.String) for _ in range(width)]
    return [pl.Series(values=[cell or None for cell in cells], dtype=pl.String) for cells in zip(*block, strict=True)]


def _check_header(name: str, header: list[str], line: int) -> None:
    if not header:
        raise InputError(f"{name}: the file is empty: expected a header line with the column names.")
    if "" in header:
        raise InputError(f"{name}, line {line}: column {header.index('') + 1} has no name.")
    twice = sorted({column for column in header if header.count(column) > 1})
    if twice:
        raise InputError(f"{name}, line {line}: the header contains {', '.join(map(repr, twice))} more than once.")
