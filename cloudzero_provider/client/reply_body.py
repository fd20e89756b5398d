"""Read and decompress the body of a reply in chunks, up to a limit."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

#: urllib3 would accept other encodings, and decompress each chunk to any size.
ACCEPTED_ENCODING = "gzip"

_CHUNK = 256 * 1024
_PLAIN = ("", "identity")
_GZIP = ("gzip", "x-gzip")
_GZIP_FORMAT = 16 + zlib.MAX_WBITS


class BodyError(Exception):
    """The body does not match its headers."""


def read_body(response: requests.Response, longest: int, save_to: BinaryIO | None = None) -> tuple[bytes, str | None]:
    """
    Read the body of a reply.

    :param response: a reply whose body is unread.
    :param longest: its largest size in bytes, decompressed.
    :param save_to: the file to write it to; without one, the body is returned.
    :return: the body as far as it was received, and the reason if it is incomplete.
    """
    if save_to is not None:
        save_to.seek(0)
        save_to.truncate()
    body = bytearray()
    size = 0
    chunks = _decompressed(response)
    while True:
        try:
            chunk = next(chunks, None)
        except Exception as error:  # A broken reply can make the libraries raise anything.
            return bytes(body), innermost_cause(error)
        if chunk is None:
            return bytes(body), None
        size += len(chunk)
        if size > longest:
            return bytes(body), f"the reply is longer than {longest:,} bytes"
        if save_to is not None:
            save_to.write(chunk)
        else:
            body += chunk


def _decompressed(response: requests.Response) -> Iterator[bytes]:
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in _PLAIN + _GZIP:
        raise BodyError(f"the reply has Content-Encoding {encoding[:40]!r}, which was not requested")
    compressed: Iterator[bytes] = response.raw.stream(_CHUNK, decode_content=False)
    yield from compressed if encoding in _PLAIN else _gunzipped(compressed)


def _gunzipped(compressed: Iterator[bytes]) -> Iterator[bytes]:
    decompressor = zlib.decompressobj(_GZIP_FORMAT)
    received = False
    for chunk in compressed:
        received = True
        while chunk and not decompressor.eof:
            yield decompressor.decompress(chunk, _CHUNK)
            chunk = decompressor.unconsumed_tail
        if decompressor.unused_data or (chunk and decompressor.eof):
            raise BodyError("the reply continues after the end of its gzip data")
    if received and not decompressor.eof:
        yield decompressor.flush()
        raise BodyError("the gzip data of the reply is incomplete")


def innermost_cause(error: BaseException) -> str:
    """Describe the innermost cause of an error: requests wraps it three times, with object addresses."""
    cause = error
    while isinstance(inner := (cause.__cause__ or cause.__context__), Exception):
        cause = inner
    text = str(cause) or str(error)
    return f"{type(cause).__name__}: {text}" if text else type(cause).__name__
