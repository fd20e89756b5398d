"""
Read CSV files with polars: many times faster than Python's reader, but it pads and truncates lines without an error.

So all lines are checked first. A file with anything unusual (a line of another width, an empty line, a line break in a
cell, stray quotes) is left to Python's reader, which reports what is wrong.
"""

from __future__ import annotations

import csv
from codecs import BOM_UTF8
from typing import TYPE_CHECKING, BinaryIO

import polars as pl

from cloudzero_provider.sources.csv_separators import COMMA
from cloudzero_provider.sources.rows import POLARS_ERRORS
from cloudzero_provider.values.parallel import in_parallel
from cloudzero_provider.values.python_values import without_empty

if TYPE_CHECKING:
    from collections.abc import Iterator

# Occurs in no text: with it as the separator, polars reads whole lines.
_NO_SEPARATOR = "\x01"
_CELL = r'(?:"(?:[^"\r]|"")*"|[^"{separator}\r]*)'
#: Whole lines are read up to here, so that a file is never in memory beside its cells.
_PIECE = 4 * 1024 * 1024
_MOST_COLUMNS = 500


def read_plain_csv(file: BinaryIO, separator: str = COMMA) -> pl.DataFrame | None:
    """
    Read a CSV file whose lines are all plain and as wide as its header.

    :param file: open at its beginning.
    :param separator: between cells.
    :return: all cells as text, and null for an empty one; ``None`` for any other file.
    """
    try:
        header = _header(file, separator)
        if header is None:
            return None
        schema = pl.Schema(dict.fromkeys(header, pl.String()))
        frames = []
        for frame in in_parallel(lambda piece: _read(piece, schema, separator), _pieces(file)):
            if frame is None:
                return None
            frames.append(frame)
    except (*POLARS_ERRORS, UnicodeDecodeError, csv.Error):
        return None
    # polars reads many small chunks, from which it gathers rows several times as slowly.
    whole = pl.concat(frames).rechunk() if frames else schema.to_frame()
    # It reads an empty cell in quotes as an empty string.
    return pl.DataFrame(list(map(without_empty, whole)))


def _header(file: BinaryIO, separator: str) -> list[str] | None:
    """Read the first line; ``None`` if it can't be a header."""
    line = file.readline().removeprefix(BOM_UTF8)
    cells = next(csv.reader([line.decode()], delimiter=separator, strict=True), [])
    is_good = 0 < len(cells) <= _MOST_COLUMNS and all(cells) and len(set(cells)) == len(cells)
    return cells if is_good and _is_plain(line, len(cells), separator) else None


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece + file.readline()


def _read(piece: bytes, schema: pl.Schema, separator: str) -> pl.DataFrame | None:
    if not _is_plain(piece, len(schema), separator):
        return None
    return pl.read_csv(piece, separator=separator, has_header=False, schema=schema)


def _is_plain(piece: bytes, width: int, separator: str) -> bool:
    """Whether every line has as many cells as the header, without stray quotes or line breaks, and none is empty."""
    lines = piece.count(b"\n") + (not piece.endswith(b"\n"))
    # Nothing but a pattern tells an empty line from a line with the only cell.
    if b'"' in piece or width == 1:
        return _lines_match(piece, lines, width, separator)
    marks = piece.translate(None, bytes(set(range(256)) - set(b"\r\n" + separator.encode())))
    between = separator.encode() * (width - 1)
    for end in (b"\n", b"\r\n"):
        last = b"" if piece.endswith(b"\n") else end
        if marks + last == (between + end) * lines:
            return True
    return _lines_match(piece, lines, width, separator)


def _lines_match(piece: bytes, expected: int, width: int, separator: str) -> bool:
    if _NO_SEPARATOR.encode() in piece or piece.count(b"\r") != piece.count(b"\r\n"):
        return False
    schema = pl.Schema({"line": pl.String()})
    lines = pl.read_csv(piece, separator=_NO_SEPARATOR, quote_char=None, has_header=False, schema=schema)["line"]
    if len(lines) != expected or lines.null_count() or (lines == "").any():
        return False
    cell = _CELL.format(separator=separator)
    is_quoted = lines.str.contains('"', literal=True)
    separators = lines.filter(~is_quoted).str.count_matches(separator, literal=True)
    quoted = lines.filter(is_quoted).str.contains(f"^{cell}(?:[{separator}]{cell}){{{width - 1}}}$")
    return bool((separators == width - 1).all() and quoted.all())
