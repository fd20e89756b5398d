"""Text files, plain or gzipped: opening them, and saying in which line they break."""

from __future__ import annotations

import io
import shutil
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, TextIO, cast

from cloudzero_provider.sources.file_signatures import BROKEN_GZIP, is_gzipped, open_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What reading text raises when the file, not the machine, is at fault.
UNREADABLE = (UnicodeDecodeError, *BROKEN_GZIP)

_PIECE = 1024 * 1024


def open_text(path: str) -> TextIO:
    """
    Open a file of UTF-8 text, gzipped or not.

    :param path: where it is.
    """
    return io.TextIOWrapper(open_bytes(path), encoding="utf-8-sig", newline="")


@contextmanager
def plain_file(path: str) -> Iterator[BinaryIO]:
    """
    Have a file open that is not gzipped: itself, or an unzipped copy for as long as it is looked at.

    :param path: where it is.
    """
    with open_bytes(path) as source:
        if not is_gzipped(path):
            yield source
            return
        with tempfile.NamedTemporaryFile(prefix="cloudzero-", suffix=".csv") as copy:
            shutil.copyfileobj(source, copy, _PIECE)
            copy.seek(0)
            yield cast("BinaryIO", copy)


def unreadable(error: Exception, name: str, path: str, line: int) -> str:
    """
    Say what is wrong with a file, and where.

    :param error: one of :data:`UNREADABLE`.
    :param name: of the file, as the user knows it.
    :param path: where it is.
    :param line: up to which it could be read.
    """
    if not isinstance(error, UnicodeDecodeError):
        return f"{name}, after line {line:,}: a broken gzip file ({error})."
    if name.lower().endswith(".gz") and not is_gzipped(path):
        return f"{name}: its name ends in .gz, but its content is neither gzipped nor UTF-8 text."
    return f"{name}, line {_undecodable(path):,}: no valid UTF-8. Save the file as UTF-8."


def _undecodable(path: str) -> int:
    """Find the first line that is no UTF-8: text is decoded in large blocks, which does not tell."""
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
