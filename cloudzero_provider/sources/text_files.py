"""Open text files, plain or gzipped, and report the line where they can't be read."""

from __future__ import annotations

import io
from typing import TextIO

from cloudzero_provider.sources.file_signatures import BROKEN_GZIP, is_gzipped, open_bytes

#: Raised on reading text when the file itself is broken.
UNREADABLE = (UnicodeDecodeError, *BROKEN_GZIP)


def open_text(path: str) -> TextIO:
    """
    Open a file of UTF-8 text, gzipped or not.

    :param path: the local path.
    """
    return io.TextIOWrapper(open_bytes(path), encoding="utf-8-sig", newline="")


def unreadable(error: Exception, name: str, path: str, line: int) -> str:
    """
    Describe why a file can't be read, and where.

    :param error: one of :data:`UNREADABLE`.
    :param name: the file's name, for the error.
    :param path: the local path.
    :param line: the last line that was read.
    """
    if isinstance(error, UnicodeDecodeError):
        if name.lower().endswith(".gz") and not is_gzipped(path):
            return f"{name}: its name ends in .gz, but its content is neither gzipped nor UTF-8 text."
        try:
            return f"{name}, line {_first_undecodable_line(path):,}: not valid UTF-8. Save the file as UTF-8."
        except BROKEN_GZIP as broken:
            # The gzip file ends, or is damaged, before the end of that line.
            error = broken
    return f"{name}, after line {line:,}: not a valid gzip file ({error})."


def _first_undecodable_line(path: str) -> int:
    """Number of the first line that is not UTF-8; text is decoded in large blocks, so the error has no line."""
    number = 1
    with open_bytes(path) as file:
        while _is_decodable(file.readline()):
            number += 1
    return number


def _is_decodable(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return bool(line)
