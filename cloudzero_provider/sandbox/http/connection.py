"""
HTTP connections that tell nobody what they were sent.

aiohttp shows a request that it cannot parse, headers and all, in its reply and in its log. With a control character
behind it, the API key would be among them.
"""

from __future__ import annotations

import sys
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aiohttp import HttpVersion11, web

from cloudzero_provider.sandbox.common.failure_reports import failure_report

if TYPE_CHECKING:
    import asyncio

    from cloudzero_provider.sandbox.server.keys import KeyRing


class Connection(web.RequestHandler):
    """A client's connection; unhandled errors are reported without any key."""

    __slots__ = ("_keys",)

    def __init__(self, keys: KeyRing, server: web.Server, loop: asyncio.AbstractEventLoop) -> None:
        # Bodies are unpacked by the sandbox itself: the limit counts what arrives.
        super().__init__(server, loop=loop, access_log=None, auto_decompress=False)  # type: ignore[arg-type]
        self._keys = keys

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it has parts of the request in it
    ) -> web.StreamResponse:
        """Reply with the status alone, and end the connection."""
        if status >= 500:
            self.log_exception(exc_info=exc)
        else:
            print(f"cloudzero sandbox: what arrived is not valid HTTP; answered {status}", file=sys.stderr)  # noqa: T201
        if request.writer.output_size > 0:
            raise ConnectionError("a reply has begun")
        response = web.json_response({"message": HTTPStatus(status).phrase}, status=status)
        response.force_close()
        return response

    def log_exception(self, *_args: Any, **given: Any) -> None:
        error = given.get("exc_info")
        if isinstance(error, BaseException):
            print(failure_report(error, self._keys), file=sys.stderr)  # noqa: T201


async def expect(request: web.Request) -> None:
    """Ask for the body where that is expected. aiohttp's own reply to anything else repeats the header."""
    if request.version != HttpVersion11:
        return
    if request.headers.get("Expect", "").lower() != "100-continue":
        raise web.HTTPExpectationFailed(text='{"message": "Expectation Failed"}', content_type="application/json")
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    # What has been sent so far is not the reply.
    request.writer.output_size = 0
