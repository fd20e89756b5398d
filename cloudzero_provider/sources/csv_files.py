"""CSV files. Every value stays the text that is written."""

from __future__ import annotations

import csv
from array import array
from typing import TYPE_CHECKING, TextIO

import polars as pl

from cloudzero_provider.exceptions import InputError, InvalidRowsError, Problem
from cloudzero_provider.sources.csv_engine import read_plain_csv
from cloudzero_provider.sources.frames import table
from cloudzero_provider.sources.lines import UNREADABLE, open_text, plain_file, unreadable
from cloudzero_provider.sources.rows import BLOCK, Rows

if TYPE_CHECKING:
    from cloudzero_provider.sources.objects import Values

_LONGEST_CELL = 16_000_000


def read_csv(name: str, path: str) -> Rows:
    """
    Read a CSV file. An empty cell means "no value"; an empty line is no row.

    :param name: of the file, as the user knows it.
    :param path: where it is.
    :raises InputError: naming file and line.
    """
    frame = _read_by_engine(name, path)
    if frame is not None:
        return table(frame, lambda index: f"{name}, line {index + 2:,}")
    with open_text(name, path) as stream:
        reading = _Reading(name, stream)
        try:
            return reading.rows()
        except csv.Error as error:
            raise InputError(f"{name}, after line {reading.line:,}: {error}.") from None
        except UNREADABLE as error:
            raise InputError(unreadable(error, name, path, reading.line)) from None


def _read_by_engine(name: str, path: str) -> pl.DataFrame | None:
    """Read a file that is plain, and ``None`` for one that is not, or is broken: Python's reader says where."""
    try:
        with plain_file(name, path) as file:
            return read_plain_csv(file, file.name)
    except UNREADABLE:
        return None


class _Reading:
    def __init__(self, name: str, stream: TextIO) -> None:
        csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))
        self.name = name
        self.reader = csv.reader(stream, strict=True)

    @property
    def line(self) -> int:
        return self.reader.line_num

    def rows(self) -> Rows:
        header = next((cells for cells in self.reader if cells), [])
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
                raise _wrong_width(f"{self.name}, line {before + 1:,}", len(cells), width)
            before = self.line
        blocks.append(_as_columns(block, width))
        columns: dict[str, Values] = {
            column: pl.concat([columns[number] for columns in blocks]) for number, column in enumerate(header)
        }
        return Rows(columns, len(lines), lambda index: f"{self.name}, line {lines[index]:,}", is_table=True)


def _as_columns(block: list[list[str]], width: int) -> list[pl.Series]:
    if not block:
        return [pl.Series(dtype=pl.String) for _ in range(width)]
    return [pl.Series(values=cells, dtype=pl.String) for cells in zip(*block, strict=True)]


def _check_header(name: str, header: list[str], line: int) -> None:
    if not header:
        raise InputError(f"{name}: the file is empty: expected a header line with the columns' names.")
    if "" in header:
        raise InputError(f"{name}, line {line}: column {header.index('') + 1} has no name.")
    twice = sorted({column for column in header if header.count(column) > 1})
    if twice:
        raise InputError(f"{name}, line {line}: the header names {', '.join(map(repr, twice))} twice.")


def _wrong_width(where: str, found: int, expected: int) -> InputError:
    rule = f"{found} cells, but the header has {expected}"
    return InvalidRowsError([Problem(where, None, None, rule)], 1)
