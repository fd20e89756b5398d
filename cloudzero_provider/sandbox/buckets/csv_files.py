"""
Reading the rows of a drop's file: gzip, UTF-8, CSV with a header.

https://docs.cloudzero.com/docs/anycost-cbf-drop-specs
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.anycost.cbf import REQUIRED_COLUMNS, column_problem
from cloudzero_provider.sandbox.common.problems import shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudzero_provider.sandbox.settings.all_settings import Settings

ENDING = ".csv.gz"
MAX_ROWS = 1_000_000
_GZIP = b"\x1f\x8b"
#: Python's reader refuses longer cells. No limit is published.
csv.field_size_limit(2**31 - 1)


class FileRefusedError(ValueError):
    """A file of a drop breaks a rule; the message says which, without the file's name."""


def name_problem(name: str) -> str | None:
    """
    Return what is wrong with the name of a file below a drop's folder, or None.

    The documented path is ``<drop id>/<any name>.csv.gz``. Whether CloudZero reads deeper folders, or passes over other
    files, is not published, so a drop that depends on it is refused.
    """
    if "/" in name:
        return f"is in a folder below the drop's; files belong directly in it, as <drop id>/<name>{ENDING}"
    if name.endswith(ENDING) and name != ENDING:
        return None
    if name.lower().endswith(".csv"):
        return f"is not compressed; files of a drop are gzip and end with {ENDING}"
    return f"does not end with {ENDING}, and a drop's folder has nothing but such files"


def read_numbered_rows(
    file: io.BufferedReader, settings: Settings, most: int = MAX_ROWS
) -> Iterator[tuple[int, dict[str, str]]]:
    """
    Read each row with the number of the line that it begins on.

    :param file: compressed.
    :param settings: decide about the names of columns.
    :param most: how many rows are allowed.
    :return: rows without their blank cells, which have no value.
    :raises FileRefusedError: at the first thing that is not a row.
    """
    lines = _lines(file)
    reader = csv.reader(lines, strict=True)
    try:
        columns = _header(next(reader, None), settings)
        line = reader.line_num + 1
        for count, cells in enumerate(reader, start=1):
            if count > most:
                raise FileRefusedError(f"has more than {most:,} rows")
            if len(cells) != len(columns):
                raise FileRefusedError(f"line {line} has {len(cells)} cells, and the header {len(columns)}")
            yield line, {column: cell for column, cell in zip(columns, cells, strict=True) if cell}
            line = reader.line_num + 1
    except csv.Error as error:
        raise FileRefusedError(f"line {reader.line_num} is not valid CSV: {error}") from None


def _lines(file: io.BufferedReader) -> Iterator[str]:
    start = file.peek(len(_GZIP))[: len(_GZIP)]
    if start != _GZIP:
        raise FileRefusedError("is not gzip" if start else "is empty, so it is not gzip")
    number = 0
    try:
        with gzip.GzipFile(fileobj=file) as unpacked:
            for number, line in enumerate(io.TextIOWrapper(unpacked, encoding="utf-8", newline=""), start=1):
                if "\0" in line:
                    raise FileRefusedError(f"line {number} has a NUL character")
                yield line
    except UnicodeDecodeError:
        raise FileRefusedError(f"is not UTF-8, after line {number}") from None
    except EOFError:
        raise FileRefusedError(f"is cut off: its gzip ends early, after line {number}") from None
    except (OSError, zlib.error) as error:
        raise FileRefusedError(f"is not valid gzip, after line {number}: {error}") from None


def _header(columns: list[str] | None, settings: Settings) -> list[str]:
    if not columns:
        raise FileRefusedError("has no header")
    if columns[0].startswith("\ufeff"):
        raise FileRefusedError("begins with a byte order mark")
    missing = [column for column in REQUIRED_COLUMNS if column not in columns]
    if missing:
        raise FileRefusedError(f"has no column {' and no column '.join(missing)} in its first line, the header")
    for position, column in enumerate(columns):
        if not column.strip():
            raise FileRefusedError(f"column {position + 1} of the header has no name")
        if column in columns[:position]:
            raise FileRefusedError(f"the header has the column {shortened(column)} twice")
        problem = column_problem(column, settings)
        if problem:
            raise FileRefusedError(f"the header has {shortened(column)}: {problem}")
    return columns
