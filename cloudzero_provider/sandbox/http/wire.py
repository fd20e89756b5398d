"""The connection to a client: reading a body up to the limit, sending a reply, and losing one."""

from __future__ import annotations

import asyncio
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from cloudzero_provider.sandbox.http.replies import (
    ErrorType,
    RefusedError,
    Reply,
    bad_request,
    error_reply,
    message_reply,
)
from cloudzero_provider.sandbox.settings.fields import Permission

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudzero_provider.sandbox.settings.all_settings import Settings

_GZIP = 16 + zlib.MAX_WBITS


@dataclass(frozen=True)
class BodyLimit:
    """
    How large a body may be, and the status of one that is larger.

    "Limits the size of the uncompressed JSON body to 5MB": https://docs.cloudzero.com/docs/anycost-send-stream-data
    """

    size: int
    status: int = 413


async def read_body(request: web.Request, settings: Settings, limit: BodyLimit) -> bytes:
    """The body, refused as soon as it is over the limit, whether or not it announces its length."""
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip") or (encoding == "gzip" and settings.gzip is Permission.REFUSE):
        raise _unsupported("The body has a Content-Encoding. None is documented to be accepted.")
    if request.content_type != "application/json" and settings.content_type is Permission.REFUSE:
        raise _unsupported("The body must be declared as Content-Type: application/json.")
    if (request.content_length or 0) > limit.size:
        raise _too_large(limit)
    body = bytearray()
    async for piece in request.content.iter_any():
        body += piece
        if len(body) > limit.size:
            raise _too_large(limit)
    return _unpacked(bytes(body), limit) if encoding == "gzip" else bytes(body)


def _unpacked(body: bytes, limit: BodyLimit) -> bytes:
    unpacker = zlib.decompressobj(_GZIP)
    try:
        unpacked = unpacker.decompress(body, limit.size + 1)
    except zlib.error:
        raise bad_request(ErrorType.INVALID_BODY, "The body is not gzip.") from None
    if len(unpacked) > limit.size:
        raise _too_large(limit)
    if not unpacker.eof or unpacker.unused_data:
        raise bad_request(ErrorType.INVALID_BODY, "The body is not one whole gzip stream.")
    return unpacked


def _unsupported(message: str) -> RefusedError:
    return RefusedError(error_reply(415, ErrorType.INVALID_BODY, message))


def _too_large(limit: BodyLimit) -> RefusedError:
    message = f"Request Entity Too Large: the uncompressed body may have {limit.size} bytes."
    if limit.status == 400:
        return bad_request(ErrorType.INVALID_BODY, message)
    return RefusedError(message_reply(limit.status, message))


async def send(request: web.Request, reply: Reply, seconds: float | None) -> web.StreamResponse:
    """
    Send the whole reply and return once the client's side has taken it.

    :param seconds: that a client may take for each piece, or else loses its connection.
    """
    if request.method == "HEAD":
        return await _send_head(request, reply)
    pieces = reply.pieces()
    # One piece ahead, and headers only then: a client that has all it was promised may ask again at once and
    # must not find its first request still running, so nothing may be waited for after the last byte.
    piece, following = await _next(pieces), await _next(pieces)
    response = await _begin(request, reply)
    while following is not None:
        with _patience(request, seconds):
            await response.write(piece or b"")
        piece, following = following, await _next(pieces)
    with _patience(request, seconds):
        await response.write_eof(piece or b"")
    return response


@contextmanager
def _patience(request: web.Request, seconds: float | None) -> Iterator[None]:
    """
    End the connection when it takes too long. Unlike a task that is waited for, a timer comes after no last byte.

    :param seconds: None for any time.
    """
    if seconds is None:
        yield
        return
    timer = asyncio.get_running_loop().call_later(seconds, lose, request)
    try:
        yield
        if timer.when() <= asyncio.get_running_loop().time():
            raise ConnectionResetError("the reply was not taken in time")
    finally:
        timer.cancel()


async def _send_head(request: web.Request, reply: Reply) -> web.StreamResponse:
    """Send what a GET would get, without the content: it would be taken for the beginning of the next reply."""
    response = await _begin(request, reply)
    await response.write_eof()
    return response


async def send_half(request: web.Request, reply: Reply, seconds: float | None) -> web.StreamResponse:
    """Announce the whole reply, send half of it and end the connection. Of an empty reply nothing is sent."""
    if not reply.length or reply.status == 204 or request.method == "HEAD":
        return lose(request)
    response = await _begin(request, reply)
    pieces = reply.pieces()
    left = reply.length // 2
    while left and (piece := await _next(pieces)) is not None:
        with _patience(request, seconds):
            await response.write(piece[:left])
        left -= len(piece[:left])
    if request.transport is not None:
        request.transport.close()
    return response


def lose(request: web.Request) -> web.StreamResponse:
    """Abort the connection without a reply."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _begin(request: web.Request, reply: Reply) -> web.StreamResponse:
    response = web.StreamResponse(status=reply.status, headers=dict(reply.headers))
    if reply.status != 204:
        response.content_length = reply.length
        # Set as a header: the property would refuse a content type that a fault makes up.
        response.headers["Content-Type"] = reply.content_type
    if reply.status == 408:
        response.force_close()
    if request.transport is not None:
        # A write then waits until the kernel has everything, so a reply that is not read yet is not finished.
        request.transport.set_write_buffer_limits(high=0)
    await response.prepare(request)
    return response


async def _next(pieces: Iterator[bytes]) -> bytes | None:
    """The next piece, made in a worker thread: the loop stays free for other requests."""
    return await asyncio.to_thread(next, pieces, None)
