"""Reading a body up to the limit, sending a reply, and breaking the connection."""

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
    refusal_reply,
)
from cloudzero_provider.sandbox.settings.fields import Permission

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudzero_provider.sandbox.settings.all_settings import Settings

_GZIP = 16 + zlib.MAX_WBITS


@dataclass(frozen=True)
class BodyLimit:
    """
    The largest body in bytes, and the status of the reply to a larger one.

    "Limits the size of the uncompressed JSON body to 5MB": https://docs.cloudzero.com/docs/anycost-send-stream-data
    """

    size: int
    status: int = 413


async def read_body(request: web.Request, settings: Settings, limit: BodyLimit) -> bytes:
    """Read the body; refuse it as soon as it exceeds the limit, with or without a ``Content-Length``."""
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip") or (encoding == "gzip" and settings.gzip is Permission.REFUSE):
        raise _unsupported("The body has a Content-Encoding that is not accepted.")
    if request.content_type != "application/json" and settings.content_type is Permission.REFUSE:
        raise _unsupported("The body must be declared as Content-Type: application/json.")
    if (request.content_length or 0) > limit.size:
        raise _too_large(limit)
    body = bytearray()
    async for piece in request.content.iter_any():
        body += piece
        if len(body) > limit.size:
            raise _too_large(limit)
    return _decompressed(bytes(body), limit) if encoding == "gzip" else bytes(body)


def _decompressed(body: bytes, limit: BodyLimit) -> bytes:
    unpacker = zlib.decompressobj(_GZIP)
    try:
        unpacked = unpacker.decompress(body, limit.size + 1)
    except zlib.error:
        raise bad_request(ErrorType.INVALID_BODY, "The body is not valid gzip.") from None
    if len(unpacked) > limit.size:
        raise _too_large(limit)
    if not unpacker.eof or unpacker.unused_data:
        raise bad_request(ErrorType.INVALID_BODY, "The body is not exactly one complete gzip stream.")
    return unpacked


def _unsupported(message: str) -> RefusedError:
    return RefusedError(error_reply(415, ErrorType.INVALID_BODY, message))


def _too_large(limit: BodyLimit) -> RefusedError:
    message = f"Request Entity Too Large: the limit for the uncompressed body is {limit.size} bytes."
    return RefusedError(refusal_reply(limit.status, ErrorType.INVALID_BODY, message))


async def send(request: web.Request, reply: Reply, seconds: float | None) -> web.StreamResponse:
    """
    Send the whole reply and return once the client's side has received it.

    :param seconds: time limit for each piece, after which the connection is aborted; None for no limit.
    """
    if request.method == "HEAD":
        return await _send_head(request, reply)
    pieces = reply.pieces()
    # Read one piece ahead: a client that has the last byte may send its next request at once and must not find
    # this one still running, so nothing is awaited after the last byte.
    piece, following = await _next_piece(pieces), await _next_piece(pieces)
    response = await _send_headers(request, reply)
    while following is not None:
        with _abort_after(request, seconds):
            await response.write(piece or b"")
        piece, following = following, await _next_piece(pieces)
    with _abort_after(request, seconds):
        await response.write_eof(piece or b"")
    return response


@contextmanager
def _abort_after(request: web.Request, seconds: float | None) -> Iterator[None]:
    """
    Abort the connection when the block takes too long. Unlike ``wait_for``, a timer never runs after the last byte.

    :param seconds: the time limit; None for no limit.
    """
    if seconds is None:
        yield
        return
    timer = asyncio.get_running_loop().call_later(seconds, abort, request)
    try:
        yield
        if timer.when() <= asyncio.get_running_loop().time():
            raise ConnectionResetError("the client did not read the reply in time")
    finally:
        timer.cancel()


async def _send_head(request: web.Request, reply: Reply) -> web.StreamResponse:
    """Send a GET's headers without its content, which the client would read as the next reply."""
    response = await _send_headers(request, reply)
    await response.write_eof()
    return response


async def send_half(request: web.Request, reply: Reply, seconds: float | None) -> web.StreamResponse:
    """Announce the whole reply, send half of it and close the connection. An empty reply is not sent at all."""
    if not reply.length or reply.status == 204 or request.method == "HEAD":
        return abort(request)
    response = await _send_headers(request, reply)
    pieces = reply.pieces()
    left = reply.length // 2
    while left and (piece := await _next_piece(pieces)) is not None:
        with _abort_after(request, seconds):
            await response.write(piece[:left])
        left -= len(piece[:left])
    if request.transport is not None:
        request.transport.close()
    return response


def abort(request: web.Request) -> web.StreamResponse:
    """Abort the connection without a reply."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _send_headers(request: web.Request, reply: Reply) -> web.StreamResponse:
    response = web.StreamResponse(status=reply.status, headers=dict(reply.headers))
    if reply.status != 204:
        response.content_length = reply.length
        # Set as a header: the property refuses an invalid content type, which a fault may have.
        response.headers["Content-Type"] = reply.content_type
    if reply.status == 408:
        response.force_close()
    if request.transport is not None:
        # A write then waits until the kernel has all bytes, so a reply that the client has not read is not finished.
        request.transport.set_write_buffer_limits(high=0)
    await response.prepare(request)
    return response


async def _next_piece(pieces: Iterator[bytes]) -> bytes | None:
    """Produce the next piece in a worker thread, so that the event loop stays free for other requests."""
    return await asyncio.to_thread(next, pieces, None)
