"""Read CSV files. Every value stays text."""

from __future__ import annotations

import csv
from array import array
from itertools import islice
from typing import TYPE_CHECKING, TextIO

import polars as pl

from cloudzero_provider.exceptions import InputError, InvalidRowsError, Problem
from cloudzero_provider.sources.csv_polars import NotPlainError, plain_csv_batches
from cloudzero_provider.sources.csv_separators import COMMA, Separator, find_separator
from cloudzero_provider.sources.file_signatures import open_bytes
from cloudzero_provider.sources.frames import table
from cloudzero_provider.sources.rows import BLOCK, Rows
from cloudzero_provider.sources.text_files import UNREADABLE, open_text, unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

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
    (rows,) = csv_batches(name, path)
    return rows


def csv_batches(name: str, path: str, rows_per_batch: int | None = None) -> Iterator[Rows]:
    """
    Read a CSV file in batches, each with all columns. Parameters and errors are those of :func:`read_csv`.

    :param rows_per_batch: the most rows of a batch; by default, all rows are one.
    :return: at least one batch.
    """
    separator = find_separator(name, path)
    count = 0
    try:
        for frame in _plain_batches(path, separator, rows_per_batch):
            first_line, count = count + 2, count + frame.height
            yield table(frame, _place_after(name, first_line))
    except NotPlainError:
        # From the beginning, since only so are errors and their lines those of the whole file.
        yield from _batches_of_any(name, path, separator, rows_per_batch, skip=count)


def _plain_batches(path: str, separator: Separator, rows_per_batch: int | None) -> Iterator[pl.DataFrame]:
    """Read a plain file; Python's reader then reads the rest of any other, or reports where it is broken."""
    if separator.is_named:
        raise NotPlainError
    try:
        with open_bytes(path) as file:
            yield from plain_csv_batches(file, separator.character, rows_per_batch)
    except UNREADABLE:
        raise NotPlainError from None


def _place_after(name: str, first_line: int) -> Callable[[int], str]:
    return lambda index: f"{name}, line {first_line + index:,}"


def _batches_of_any(
    name: str, path: str, separator: Separator, rows_per_batch: int | None, *, skip: int
) -> Iterator[Rows]:
    with open_text(path) as stream:
        reader = _CsvReader(name, stream, separator)
        try:
            yield from reader.batches(rows_per_batch, skip)
        except csv.Error as error:
            raise InputError(f"{name}, after line {reader.line:,}: {error}.") from None
        except UNREADABLE as error:
            raise InputError(unreadable(error, name, path, reader.line)) from None


class _CsvReader:
    def __init__(self, name: str, stream: TextIO, separator: Separator) -> None:
        csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))
        self.name = name
        self.separator = separator
        self.reader = csv.reader(stream, delimiter=separator.character, strict=True)
        #: The line of each row of the batch.
        self.lines = array("Q")

    @property
    def line(self) -> int:
        return self.reader.line_num

    def batches(self, rows_per_batch: int | None = None, skip: int = 0) -> Iterator[Rows]:
        """Read the rows after the first few; if there are none to skip, at least one batch."""
        header = self._header()
        full = self._full(len(header))
        next(islice(full, skip, skip), None)
        is_needed = not skip
        while (rows := self._next_rows(full, header, rows_per_batch)).count or is_needed:
            yield rows
            is_needed = False

    def _next_rows(self, full: Iterator[list[str]], header: list[str], most: int | None) -> Rows:
        name, lines = self.name, array("Q")
        self.lines = lines
        blocks: list[list[pl.Series]] = []
        while block := list(islice(full, BLOCK if most is None else min(BLOCK, most - len(lines)))):
            blocks.append(_as_columns(block))
        columns: dict[str, Values] = {
            column: pl.concat([block[number] for block in blocks]) if blocks else pl.Series(dtype=pl.String)
            for number, column in enumerate(header)
        }
        return Rows(columns, len(lines), lambda index: f"{name}, line {lines[index]:,}", is_table=True)

    def _header(self) -> list[str]:
        full = (cells for cells in self.reader if cells)
        if self.separator.is_named:
            next(full)
        header = next(full, [])
        _check_header(self.name, header, self.line)
        return header

    def _full(self, width: int) -> Iterator[list[str]]:
        """Iterate over the rows, and add the line that each begins on to those of the batch."""
        before = self.line
        for cells in self.reader:
            if len(cells) == width:
                self.lines.append(before + 1)
                yield cells
            elif cells:
                raise self._wrong_width(before + 1, len(cells), width)
            before = self.line

    def _wrong_width(self, line: int, found: int, expected: int) -> InputError:
        rule = f"{found} cells, but the header has {expected}"
        if self.separator.character != COMMA:
            rule += f" (separated by {self.separator.character!r}, as in the header)"
        return InvalidRowsError([Problem(f"{self.name}, line {line:,}", None, None, rule)], 1)


def _as_columns(rows: Iterable[list[str]]) -> list[pl.Series]:
    return [pl.Series(values=[cell or None for cell in cells], dtype=pl.String) for cells in zip(*rows, strict=True)]


def _check_header(name: str, header: list[str], line: int) -> None:
    if not header:
        raise InputError(f"{name}: the file is empty: expected a header line with the column names.")
    if "" in header:
        raise InputError(f"{name}, line {line}: column {header.index('') + 1} has no name.")
    twice = sorted({column for column in header if header.count(column) > 1})
    if twice:
        raise InputError(f"{name}, line {line}: the header contains {', '.join(map(repr, twice))} more than once.")
