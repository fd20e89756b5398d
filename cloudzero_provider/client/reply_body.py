"""The body of an answer: read as far as it comes, unpacked as it comes, and never longer than an answer may be."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

#: What is asked for. urllib3 would take more, and unpack a piece in one go, however large that makes it.
ACCEPTED_ENCODING = "gzip"

_PIECE = 256 * 1024
_PLAIN = ("", "identity")
_GZIP = ("gzip", "x-gzip")
_GZIP_FORMAT = 16 + zlib.MAX_WBITS


class BodyError(Exception):
    """The body is not what it says it is."""


def read_body(response: requests.Response, longest: int, save_to: BinaryIO | None = None) -> tuple[bytes, str | None]:
    """
    Read the body of an answer.

    :param response: with nothing read of its body yet.
    :param longest: bytes, unpacked, that it may have.
    :param save_to: where it goes; without it, it is returned.
    :return: the body, as far as it came, and what broke it off, if anything did.
    """
    if save_to is not None:
        save_to.seek(0)
        save_to.truncate()
    body = bytearray()
    size = 0
    pieces = _unpacked(response)
    while True:
        try:
            piece = next(pieces, None)
        except Exception as error:  # Whatever a server makes the libraries raise.
            return bytes(body), in_words(error)
        if piece is None:
            return bytes(body), None
        size += len(piece)
        if size > longest:
            return bytes(body), f"the answer is longer than {longest:,} bytes"
        if save_to is not None:
            save_to.write(piece)
        else:
            body += piece


def _unpacked(response: requests.Response) -> Iterator[bytes]:
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in _PLAIN + _GZIP:
        raise BodyError(f"the answer is in Content-Encoding {encoding[:40]!r}, which was not asked for")
    packed: Iterator[bytes] = response.raw.stream(_PIECE, decode_content=False)
    yield from packed if encoding in _PLAIN else _gunzipped(packed)


def _gunzipped(packed: Iterator[bytes]) -> Iterator[bytes]:
    unpack = zlib.decompressobj(_GZIP_FORMAT)
    came = False
    for piece in packed:
        came = True
        while piece and not unpack.eof:
            yield unpack.decompress(piece, _PIECE)
            piece = unpack.unconsumed_tail
        if unpack.unused_data or (piece and unpack.eof):
            raise BodyError("the answer goes on after the end of its gzip data")
    if came and not unpack.eof:
        yield unpack.flush()
        raise BodyError("the gzip data of the answer breaks off")


def in_words(error: BaseException) -> str:
    """Name the innermost cause: requests wraps it three times, with addresses of objects in between."""
    cause = error
    while isinstance(inner := (cause.__cause__ or cause.__context__), Exception):
        cause = inner
    text = str(cause) or str(error)
    return f"{type(cause).__name__}: {text}" if text else type(cause).__name__
