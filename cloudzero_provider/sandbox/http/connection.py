"""
HTTP connections that never show a request's headers.

aiohttp repeats a request that it cannot parse, headers included, in its reply and its log. An API key followed by a
control character would be shown that way.
"""

from __future__ import annotations

import sys
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aiohttp import HttpVersion11, web

if TYPE_CHECKING:
    import asyncio

    from cloudzero_provider.sandbox.server.keys import KeyRing


class HttpConnection(web.RequestHandler):
    """A client's connection; unhandled errors are reported without API keys."""

    __slots__ = ("_keys",)

    def __init__(self, keys: KeyRing, server: web.Server, loop: asyncio.AbstractEventLoop) -> None:
        # The sandbox decompresses bodies itself, because the limit counts the bytes that arrive.
        super().__init__(server, loop=loop, access_log=None, auto_decompress=False)  # type: ignore[arg-type]
        self._keys = keys

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it contains parts of the request
    ) -> web.StreamResponse:
        """Reply with the status alone and close the connection."""
        if status >= 500:
            self.log_exception(exc_info=exc)
        else:
            print(f"cloudzero sandbox: a request is not valid HTTP; replied {status}", file=sys.stderr)  # noqa: T201
        if request.writer.output_size > 0:
            raise ConnectionError("the reply has already begun")
        response = web.json_response({"message": HTTPStatus(status).phrase}, status=status)
        response.force_close()
        return response

    def log_exception(self, *_args: Any, **given: Any) -> None:
        error = given.get("exc_info")
        if isinstance(error, BaseException):
            print(self._keys.traceback_without_keys(error), file=sys.stderr)  # noqa: T201


async def handle_expect(request: web.Request) -> None:
    """Handle ``Expect: 100-continue``. aiohttp's own reply to any other value repeats the header."""
    if request.version != HttpVersion11:
        return
    if request.headers.get("Expect", "").lower() != "100-continue":
        raise web.HTTPExpectationFailed(text='{"message": "Expectation Failed"}', content_type="application/json")
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    # aiohttp must not count the interim response as part of the reply.
    request.writer.output_size = 0
