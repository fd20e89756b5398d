"""
Read CSV files with polars: many times faster than Python's reader, but it pads and truncates lines without an error.

So all lines are checked first. A file with anything unusual (a line of another width, an empty line, a line break in a
cell, stray quotes) is left to Python's reader, which reports what is wrong.
"""

from __future__ import annotations

import csv
from codecs import BOM_UTF8
from gzip import GzipFile
from typing import TYPE_CHECKING, BinaryIO

import polars as pl

from cloudzero_provider.sources.csv_separators import COMMA
from cloudzero_provider.sources.rows import POLARS_ERRORS
from cloudzero_provider.values.parallel import for_columns, in_parallel
from cloudzero_provider.values.python_values import without_empty

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: Whole lines are read up to here, so that a file is never in memory beside its cells.
_PIECE = 4 * 1024 * 1024
_MOST_COLUMNS = 500
#: polars decompresses a piece that begins like zlib, gzip or Zstandard, as text can, and removes a byte order mark.
_MISREAD = (b"x\x01", b"x^", b"x\x9c", b"x\xda", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", BOM_UTF8)


class NotPlainError(Exception):
    """A file has a line that is not plain, so polars would misread it."""


def read_plain_csv(file: BinaryIO, separator: str = COMMA) -> pl.DataFrame | None:
    """
    Read a CSV file whose lines are all plain and as wide as its header.

    :param file: open at its beginning.
    :param separator: between cells.
    :return: all cells as text, and null for an empty one; ``None`` for any other file.
    """
    try:
        (frame,) = plain_csv_batches(file, separator)
    except NotPlainError:
        return None
    return frame


def plain_csv_batches(
    file: BinaryIO, separator: str = COMMA, rows_per_batch: int | None = None
) -> Iterator[pl.DataFrame]:
    """
    Read a CSV file in batches, as long as its lines are plain and as wide as its header.

    :param file: open at its beginning.
    :param separator: between cells.
    :param rows_per_batch: the most rows of a batch; by default, all rows are one.
    :return: at least one batch: all cells as text, and null for an empty one.
    :raises NotPlainError: at a line of another kind. The batches before it are those of a file without it.
    """
    try:
        header = _header(file, separator)
        if header is None:
            raise NotPlainError
        schema = pl.Schema(dict.fromkeys(header, pl.String()))
        read = in_parallel(lambda piece: _read(piece, schema, separator), _pieces(file))
        batches = _regrouped(read, rows_per_batch)
        yield _joined(next(batches), schema)
        for frames in batches:
            yield _joined(frames, schema)
    except (*POLARS_ERRORS, UnicodeDecodeError, csv.Error):
        raise NotPlainError from None


def _regrouped(pieces: Iterable[pl.DataFrame], rows_per_batch: int | None) -> Iterator[list[pl.DataFrame]]:
    """Group frames into batches: the last one has what is left, and may be empty only if it is the first."""
    held: list[pl.DataFrame] = []
    room = rows_per_batch
    for piece in pieces:
        rest = piece
        while room is not None and rest.height > room:
            yield [*held, rest.head(room)]
            held, rest, room = [], rest.slice(room), rows_per_batch
        held.append(rest)
        room = None if room is None else room - rest.height
    yield held


def _joined(frames: list[pl.DataFrame], schema: pl.Schema) -> pl.DataFrame:
    if not frames:
        return schema.to_frame()
    rows = sum(frame.height for frame in frames)
    return pl.DataFrame(list(for_columns(lambda name: _column(name, frames), schema, rows)))


def _column(name: str, frames: list[pl.DataFrame]) -> pl.Series:
    """Move a column out of the frames, so that no two columns are ever in memory twice."""
    # polars reads many small chunks, from which it gathers rows several times as slowly.
    column = pl.concat([frame.drop_in_place(name) for frame in frames]).rechunk()
    # It reads an empty cell in quotes as an empty string.
    return without_empty(column)


def _header(file: BinaryIO, separator: str) -> list[str] | None:
    """Read the first line; ``None`` if it can't be a header."""
    line = file.readline().removeprefix(BOM_UTF8)
    cells = next(csv.reader([line.decode()], delimiter=separator, strict=True), [])
    is_good = 0 < len(cells) <= _MOST_COLUMNS and all(cells) and len(set(cells)) == len(cells)
    return cells if is_good and _is_plain(line, len(cells), separator) else None


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    """Read pieces of whole lines."""
    if isinstance(file, GzipFile):
        while piece := file.read(_PIECE):
            yield piece + file.readline()
        return
    # The end of a piece is found first, since adding the rest of a line to it would copy it.
    start = file.tell()
    while piece := file.read(_end_of_line(file, start + _PIECE) - start):
        yield piece
        start += len(piece)


def _end_of_line(file: BinaryIO, place: int) -> int:
    """Find where the line at a place ends, without moving in the file."""
    before = file.tell()
    file.seek(place)
    file.readline()
    end = file.tell()
    file.seek(before)
    return end


def _read(piece: bytes, schema: pl.Schema, separator: str) -> pl.DataFrame:
    if piece.startswith(_MISREAD) or not _is_plain(piece, len(schema), separator):
        raise NotPlainError
    return pl.read_csv(piece, separator=separator, has_header=False, schema=schema)


def _is_plain(piece: bytes, width: int, separator: str) -> bool:
    """Whether every line has as many cells as the header, without stray quotes or line breaks, and none is empty."""
    # Nothing but a pattern tells an empty line from a line with the only cell.
    if b'"' in piece or width == 1:
        return _matches(piece, width, separator)
    marks = piece.translate(None, bytes(set(range(256)) - set(b"\r\n" + separator.encode())))
    lines = marks.count(b"\n") + (not piece.endswith(b"\n"))
    between = separator.encode() * (width - 1)
    for end in (b"\n", b"\r\n"):
        last = b"" if piece.endswith(b"\n") else end
        # The marks alone don't tell a \r inside the last cell of each line from one at its end.
        if marks + last == (between + end) * lines and piece.count(end) + bool(last) == lines:
            return True
    return _matches(piece, width, separator)


def _matches(piece: bytes, width: int, separator: str) -> bool:
    unquoted = "+" if width == 1 else "*"
    cell = rf'(?:"(?:[^"\r\n]|"")*"|[^"{separator}\r\n]{unquoted})'
    lines = rf"\A(?:{cell}(?:[{separator}]{cell}){{{width - 1}}}(?:\r?\n|\z))*\z"
    # polars matches without Python's lock. It copies a column of a single value four times, unlike one of two.
    text = pl.Series(values=[piece, b""], dtype=pl.Binary).cast(pl.String)
    return bool(text.str.contains(lines).all())
