"""Text files, plain or gzipped: opening them, and saying in which line they break."""

from __future__ import annotations

import gzip
import io
import shutil
import tempfile
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, TextIO, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What reading text raises when the file, not the machine, is at fault.
UNREADABLE = (UnicodeDecodeError, gzip.BadGzipFile, EOFError, zlib.error)

_PIECE = 1024 * 1024


def open_text(name: str, path: str) -> TextIO:
    """
    Open a file of UTF-8 text.

    :param name: says by its ending whether it is gzipped.
    :param path: where it is.
    """
    return io.TextIOWrapper(_open_bytes(name, path), encoding="utf-8-sig", newline="")


@contextmanager
def plain_file(name: str, path: str) -> Iterator[BinaryIO]:
    """
    Have a file open that is not gzipped: itself, or an unzipped copy for as long as it is looked at.

    :param name: says by its ending whether it is gzipped.
    :param path: where it is.
    """
    with _open_bytes(name, path) as source:
        if not name.lower().endswith(".gz"):
            yield source
            return
        with tempfile.NamedTemporaryFile(prefix="cloudzero-", suffix=".csv") as copy:
            shutil.copyfileobj(source, copy, _PIECE)
            copy.seek(0)
            yield cast("BinaryIO", copy)


def _open_bytes(name: str, path: str) -> BinaryIO:
    if name.lower().endswith(".gz"):
        return cast("BinaryIO", gzip.open(path))
    return open(path, "rb")


def unreadable(error: Exception, name: str, path: str, line: int) -> str:
    """
    Say what is wrong with a file, and where.

    :param error: one of :data:`UNREADABLE`.
    :param name: of the file, as the user knows it.
    :param path: where it is.
    :param line: up to which it could be read.
    """
    if isinstance(error, UnicodeDecodeError):
        return f"{name}, line {_undecodable(name, path):,}: no valid UTF-8. Save the file as UTF-8."
    what = "a broken gzip file" if name.lower().endswith(".gz") else "broken"
    return f"{name}, after line {line:,}: {what} ({error})."


def _undecodable(name: str, path: str) -> int:
    """Find the first line that is no UTF-8: text is decoded in large blocks, which does not tell."""
    number = 1
    with _open_bytes(name, path) as file:
        while _is_decodable(file.readline()):
            number += 1
    return number


def _is_decodable(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return bool(line)
