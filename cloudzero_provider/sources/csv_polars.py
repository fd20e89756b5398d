"""
Read CSV files with polars: many times faster than Python's reader, but it pads and truncates lines without an error.

So all lines are checked first. A file with anything unusual (a line of another width, an empty line, a line break in a
cell, stray quotes) is left to Python's reader, which reports what is wrong.
"""

from __future__ import annotations

import csv
from typing import BinaryIO

import polars as pl

from cloudzero_provider.sources.csv_separators import COMMA
from cloudzero_provider.sources.rows import POLARS_ERRORS

# Occurs in no text: with it as the separator, polars reads whole lines.
_NO_SEPARATOR = "\x01"
_CELL = r'(?:"(?:[^"\r]|"")*"|[^"{separator}\r]*)'
_PIECE = 1024 * 1024
_MOST_COLUMNS = 500


def read_plain_csv(file: BinaryIO, path: str, separator: str = COMMA) -> pl.DataFrame | None:
    """
    Read a CSV file whose lines are all plain and as wide as its header.

    :param file: open at its beginning, for the checks.
    :param path: the same file, for polars.
    :param separator: between cells.
    :return: all cells as text; ``None`` for any other file.
    """
    try:
        header = _header(file, separator)
        if header is None or not _is_plain(file, path, len(header), separator):
            return None
        frame = pl.read_csv(
            path,
            separator=separator,
            infer_schema=False,
            low_memory=True,
            glob=False,
        )
    except (*POLARS_ERRORS, UnicodeDecodeError, csv.Error):
        return None
    return frame.fill_null("") if frame.columns == header else None


def _header(file: BinaryIO, separator: str) -> list[str] | None:
    """Read the first line; ``None`` if it can't be a header."""
    line = file.readline().decode("utf-8-sig")
    cells = next(csv.reader([line], delimiter=separator, strict=True), [])
    is_good = 0 < len(cells) <= _MOST_COLUMNS and all(cells) and len(set(cells)) == len(cells)
    return cells if is_good else None


def _is_plain(file: BinaryIO, path: str, width: int, separator: str) -> bool:
    line = pl.col("line")
    cell = _CELL.format(separator=separator)
    plain = f"^{cell}(?:[{separator}]{cell}){{{width - 1}}}$"
    counted = (
        pl.scan_csv(
            path,
            separator=_NO_SEPARATOR,
            quote_char=None,
            has_header=False,
            new_columns=["line"],
            infer_schema=False,
            glob=False,
            low_memory=True,
        )
        .select(lines=pl.len(), plain=line.str.contains(plain).sum(), empty=(line.fill_null("") == "").sum())
        .collect()
    )
    lines, plain_lines, empty = counted.row(0)
    return bool(lines == plain_lines == _count_lines(file) and not empty)


def _count_lines(file: BinaryIO) -> int | None:
    """Count the lines; ``None`` where polars and Python may disagree on what a line is."""
    file.seek(0)
    lines, last = 0, b"\n"
    while piece := file.read(_PIECE):
        returns = piece.count(b"\r\n") + (last == b"\r" and piece[:1] == b"\n")
        if _NO_SEPARATOR.encode() in piece or returns != piece[:-1].count(b"\r") + (last == b"\r"):
            return None
        lines, last = lines + piece.count(b"\n"), piece[-1:]
    return None if last == b"\r" else lines + (last != b"\n")
