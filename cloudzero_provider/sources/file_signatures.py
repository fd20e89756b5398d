"""Detect the kind of a file by its first bytes, since its name is sometimes wrong, mostly about gzip."""

from __future__ import annotations

import gzip
import logging
import os
import re
import zlib
from typing import BinaryIO, cast

from cloudzero_provider.exceptions import InputError

log = logging.getLogger(__name__)

#: Raised when a broken gzip file is read.
BROKEN_GZIP = (gzip.BadGzipFile, EOFError, zlib.error)

_GZIP = b"\x1f\x8b"
_PARQUET = re.compile(rb"PAR1[\x00-\x08\x0b\x0c\x0e-\x1f]")
#: Extension of a binary format → its name, and its first bytes.
_BINARY = {".parquet": ("Parquet", _PARQUET)}
_JSON = re.compile(rb'(?:\xef\xbb\xbf)?\s*(?:\[\s*)?\{\s*"')
_HEAD = 512
_UTF_16 = (
    "UTF-16 text",
    'save it as UTF-8 (in Excel: "CSV UTF-8")',
)
#: First bytes of other kinds of files, what they are, and what to do. No readable text begins like this.
_SIGNATURES = (
    (_PARQUET, "a Parquet file", "name it *.parquet"),
    (re.compile(rb"PARE"), "an encrypted Parquet file", "write it without encryption"),
    (re.compile(rb"PK\x03\x04|PK\x05\x06"), "a ZIP archive or an Excel workbook", "unzip it, or save the sheet as CSV"),
    (re.compile(rb"\xd0\xcf\x11\xe0"), "an Excel workbook", "save the sheet as CSV"),
    (re.compile(rb"\x28\xb5\x2f\xfd"), "compressed with zstd", "unpack it, or compress it with gzip"),
    (re.compile(rb"BZh[1-9]1AY&SY"), "compressed with bzip2", "unpack it, or compress it with gzip"),
    (re.compile(rb"\xfd7zXZ\x00"), "compressed with xz", "unpack it, or compress it with gzip"),
    (re.compile(rb"\x04\x22\x4d\x18"), "compressed with LZ4", "unpack it, or compress it with gzip"),
    (re.compile(rb"Obj\x01"), "an Avro file", "write it as Parquet"),
    (re.compile(rb"ORC[\x00-\x08\x0b\x0c\x0e-\x1f]"), "an ORC file", "write it as Parquet"),
    (re.compile(rb"ARROW1\x00\x00"), "an Arrow file", "write it as Parquet"),
    (re.compile(rb"\xff\xfe\x00\x00|\x00\x00\xfe\xff"), "UTF-32 text", "save it as UTF-8"),
    (re.compile(rb"\xff\xfe|\xfe\xff|\x00[\t\r\n -~]|[\t\r\n -~]\x00"), *_UTF_16),
    (re.compile(rb"\s*<(?:!doctype|html|\?xml)", re.IGNORECASE), "a web page or XML", "open it to see the error in it"),
)


def is_gzipped(path: str) -> bool:
    """Whether a file is gzipped, by its content. No text or Parquet file begins with the same bytes."""
    with open(path, "rb") as file:
        return file.read(len(_GZIP)) == _GZIP


def open_bytes(path: str) -> BinaryIO:
    """Open a file; a gzipped one is decompressed as it is read."""
    return cast("BinaryIO", gzip.open(path)) if is_gzipped(path) else open(path, "rb")


def check_contents(name: str, path: str, ending: str) -> None:
    """
    Refuse a file whose content is not what its extension says. Whether it is gzipped is decided by content alone.

    :param name: the file's name, for errors.
    :param path: the local path.
    :param ending: the extension of the name.
    :raises InputError: naming the extension, the content, and what to do.
    """
    gzipped = is_gzipped(path)
    if ending.endswith(".gz") and not os.path.getsize(path):
        raise InputError(f"{name}: the file has 0 bytes, which is not a valid gzip file. Was it written completely?")
    head = _head(path)
    if ending in _BINARY:
        found = _mismatch_of_binary(head, ending, gzipped=gzipped)
    elif gzipped and head.startswith(_GZIP):
        found = ("gzipped twice", "unzip it once")
    else:
        found = _mismatch_of_text(head, ending)
    if found:
        raise InputError(f"{name}: its name ends in {ending}, but its content is {found[0]}: {found[1]}.")
    if gzipped != ending.endswith(".gz"):
        what = "gzipped; it is decompressed" if gzipped else "not gzipped; it is read as it is"
        log.info("%s: its name ends in %s, but its content is %s", name, ending, what)


def _head(path: str) -> bytes:
    try:
        with open_bytes(path) as file:
            return file.read(_HEAD)
    except BROKEN_GZIP:
        # Reading the whole file reports where it is broken.
        return b""


def _mismatch_of_binary(head: bytes, ending: str, *, gzipped: bool) -> tuple[str, str] | None:
    format_name, begins = _BINARY[ending]
    if gzipped:
        return "gzipped", f"unzip it; {format_name} is compressed inside"
    if begins.match(head):
        return None
    if not head:
        return "empty", "was it written completely?"
    return _signature(head) or (("JSON", "name it *.json") if _JSON.match(head) else None)


def _mismatch_of_text(head: bytes, ending: str) -> tuple[str, str] | None:
    if ending.startswith(".csv") and _JSON.match(head):
        return "JSON", "name it *.json"
    return _signature(head)


def _signature(head: bytes) -> tuple[str, str] | None:
    return next(((kind, advice) for begins, kind, advice in _SIGNATURES if begins.match(head)), None)
