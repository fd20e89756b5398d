"""What a file is, by its first bytes: names are wrong now and then, above all about gzip."""

from __future__ import annotations

import gzip
import logging
import os
import re
import zlib
from typing import BinaryIO, cast

from cloudzero_provider.exceptions import InputError

log = logging.getLogger(__name__)

#: What reading a gzip file raises when the file is broken.
BROKEN_GZIP = (gzip.BadGzipFile, EOFError, zlib.error)

_GZIP = b"\x1f\x8b"
_PARQUET = re.compile(rb"PAR1[\x00-\x08\x0b\x0c\x0e-\x1f]")
_JSON = re.compile(rb'(?:\xef\xbb\xbf)?\s*(?:\[\s*)?\{\s*"')
_HEAD = 512
_UTF_16 = (
    "UTF-16 text",
    'save it as UTF-8 (in Excel: "CSV UTF-8")',
)
#: How other kinds of files begin → what they are, and what to do. No text that can be read begins like that.
_OTHERS = (
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
    (re.compile(rb"\s*<(?:!doctype|html|\?xml)", re.IGNORECASE), "a web page or XML", "look into it for an error"),
)


def is_gzipped(path: str) -> bool:
    """Whether a file is gzipped, by its content. No text and no Parquet file begins like that."""
    with open(path, "rb") as file:
        return file.read(len(_GZIP)) == _GZIP


def open_bytes(path: str) -> BinaryIO:
    """Open a file, and unzip it if it is gzipped."""
    return cast("BinaryIO", gzip.open(path)) if is_gzipped(path) else open(path, "rb")


def check_contents(name: str, path: str, ending: str) -> None:
    """
    Refuse a file whose content is not what its name says. Whether it is gzipped, its content alone decides.

    :param name: of the file, as the user knows it.
    :param path: where it is.
    :param ending: of the name: what it says that the file is.
    :raises InputError: saying what the name says, what the content is, and what to do.
    """
    gzipped = is_gzipped(path)
    if ending.endswith(".gz") and not os.path.getsize(path):
        raise InputError(f"{name}: the file has 0 bytes, which is not a valid gzip file. Was it written completely?")
    head = _head(path)
    if ending == ".parquet":
        found = _what_is_no_parquet(head, gzipped=gzipped)
    elif gzipped and head.startswith(_GZIP):
        found = ("gzipped twice", "unzip it once")
    else:
        found = _what_is_no_text(head, ending)
    if found:
        raise InputError(f"{name}: its name ends in {ending}, but its content is {found[0]}: {found[1]}.")
    if gzipped != ending.endswith(".gz"):
        what = "gzipped, and is unzipped" if gzipped else "not gzipped, and is read as it is"
        log.info("%s: its name ends in %s, but its content is %s", name, ending, what)


def _head(path: str) -> bytes:
    try:
        with open_bytes(path) as file:
            return file.read(_HEAD)
    except BROKEN_GZIP:
        # Whoever reads the whole file finds the place.
        return b""


def _what_is_no_parquet(head: bytes, *, gzipped: bool) -> tuple[str, str] | None:
    if gzipped:
        return "gzipped", "unzip it; Parquet is compressed inside"
    if _PARQUET.match(head):
        return None
    if not head:
        return "empty", "was it written completely?"
    return _other(head) or (("JSON", "name it *.json") if _JSON.match(head) else None)


def _what_is_no_text(head: bytes, ending: str) -> tuple[str, str] | None:
    if ending.startswith(".csv") and _JSON.match(head):
        return "JSON", "name it *.json"
    return _other(head)


def _other(head: bytes) -> tuple[str, str] | None:
    return next(((kind, advice) for begins, kind, advice in _OTHERS if begins.match(head)), None)
