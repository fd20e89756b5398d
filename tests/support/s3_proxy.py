"""A proxy in front of S3 that loses, delays, refuses and damages what passes."""

from __future__ import annotations

import contextlib
import http.client
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

#: Headers of a connection, not of a request or a reply.
_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server", "expect"}
#: How an error of S3 looks.
_ERROR = "<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"

LOST_BEFORE, LOST_AFTER, TRUNCATED, CORRUPTED, SLOW = "lost before", "lost after", "truncated", "corrupted", "slow"
#: Status, code and message of replies that the proxy gives itself.
REPLIES = {
    "500": (500, "InternalError", "We encountered an internal error. Please try again."),
    "503": (503, "SlowDown", "Please reduce your request rate."),
    "403": (403, "AccessDenied", "Access Denied"),
    "expired": (400, "ExpiredToken", "The provided token has expired."),
    "unknown key": (403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."),
    "wrong secret": (403, "SignatureDoesNotMatch", "The request signature we calculated does not match."),
    "wrong region": (301, "PermanentRedirect", "The bucket must be addressed using the specified endpoint."),
}


@dataclass(frozen=True)
class Request:
    """
    A request that has arrived.

    :param number: counted from 0.
    :param kind: what it is for a drop, such as ``switch``.
    """

    number: int
    kind: str


@dataclass
class Fault:
    """
    What goes wrong.

    :param what: one of the constants, or a key of ``REPLIES``.
    :param kind: of the requests.
    :param times: how often.
    :param skip: how many of them are left alone first.
    """

    what: str
    kind: str
    times: int = 1
    skip: int = 0

    def is_due(self) -> bool:
        """Whether it happens to this request of the kind."""
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return self.times >= 0


class S3Proxy:
    """A proxy; it listens until ``stop``."""

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url)
        self._lock = threading.Lock()
        self._active = 0
        self.reset()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except OSError:  # the client is gone
                    self.close_connection = True

            def handle(self) -> None:
                with contextlib.suppress(OSError):
                    super().handle()

            def do_any(self) -> None:
                with proxy._lock:
                    proxy._active += 1
                try:
                    proxy._serve(self)
                finally:
                    with proxy._lock:
                        proxy._active -= 1

        for method in ("GET", "HEAD", "PUT", "POST", "DELETE"):
            setattr(Handler, f"do_{method}", Handler.do_any)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def reset(self, *faults: Fault) -> None:
        """Forget all requests, and what was to go wrong or to be called."""
        with self._lock:
            self.faults = list(faults)
            self.requests: list[Request] = []
            #: The kinds of those that were passed on.
            self.passed: list[str] = []
            self.hit = 0
            #: Called before a request is passed on, which it is not if this returns ``False``.
            self.before: Callable[[Request], object] = _nothing
            #: Called before the reply is passed on.
            self.after: Callable[[Request], object] = _nothing

    def wait_until_idle(self) -> None:
        """Wait until every request that has arrived is done."""
        deadline = time.monotonic() + 30
        while self._active and time.monotonic() < deadline:
            time.sleep(0.005)

    def kinds(self) -> list[str]:
        """The kind of each request, in order."""
        return [request.kind for request in self.requests]

    def _serve(self, call: BaseHTTPRequestHandler) -> None:
        body = _body(call)
        if body is None:
            call.close_connection = True
            return
        with self._lock:
            request = Request(len(self.requests), _kind(call.command, call.path))
            self.requests.append(request)
            fault = next((each for each in self.faults if each.kind == request.kind and each.is_due()), None)
            self.hit += fault is not None
            before, after = self.before, self.after
        if before(request) is False:
            _reset(call)
            return
        what = fault.what if fault else None
        if what == LOST_BEFORE:
            _reset(call)
            return
        if what in REPLIES:
            status, code, message = REPLIES[what]
            content = b"" if call.command == "HEAD" else _ERROR.format(code=code, message=message).encode()
            _answer(call, status, [("Content-Type", "application/xml")], content)
            return
        self.passed.append(request.kind)
        status, headers, content = self._forward(call, body)
        after(request)
        if what == SLOW:
            time.sleep(0.2)
        if what == LOST_AFTER:
            _reset(call)
        elif what == TRUNCATED and content:
            _answer(call, status, headers, content, sent=len(content) // 2)
            _reset(call)
        else:
            damaged = what == CORRUPTED and content
            _answer(call, status, headers, bytes([content[0] ^ 1]) + content[1:] if damaged else content)

    def _forward(self, call: BaseHTTPRequestHandler, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        onward = http.client.HTTPConnection(self._target.hostname or "", self._target.port, timeout=60)
        try:
            headers = {name: value for name, value in call.headers.items() if name.lower() not in _HOP}
            onward.request(call.command, call.path, body, headers)
            reply = onward.getresponse()
            content = reply.read()
        finally:
            onward.close()
        kept = [(name, value) for name, value in reply.getheaders() if name.lower() not in _HOP]
        if call.command == "HEAD":
            kept.append(("Content-Length", reply.getheader("Content-Length") or "0"))
        return reply.status, kept, content


def _nothing(request: Request) -> None:
    del request


def _kind(method: str, path: str) -> str:
    """What a request is for."""
    place, _, query = path.partition("?")
    if method == "DELETE":
        return "abort" if "uploadId" in query else "delete"
    if method == "GET" and "prefix" in query:
        return "list"
    if "uploadId" in query or "uploads" in query:
        return {"PUT": "part"}.get(method, "complete" if "uploadId" in query else "create")
    names = {"/manifest.json": "manifest", ".json": "description", ".csv.gz": "file"}
    what = next((what for ending, what in names.items() if place.endswith(ending)), "mark")
    return f"{method.lower()} {what}"


def _body(call: BaseHTTPRequestHandler) -> bytes | None:
    """Read a body; ``None`` if the connection ends before it does: S3 does nothing then."""
    if "chunked" not in (call.headers.get("Transfer-Encoding") or ""):
        size = int(call.headers.get("Content-Length") or 0)
        body = call.rfile.read(size)
        return body if len(body) == size else None
    body = b""
    while size := int(call.rfile.readline().split(b";")[0] or b"0", 16):
        body += call.rfile.read(size)
        call.rfile.readline()
    return body if call.rfile.readline() else None


def _answer(
    call: BaseHTTPRequestHandler,
    status: int,
    headers: list[tuple[str, str]],
    content: bytes,
    sent: int | None = None,
) -> None:
    call.send_response(status)
    for name, value in headers:
        call.send_header(name, value)
    if call.command != "HEAD":
        call.send_header("Content-Length", str(len(content)))
    call.end_headers()
    call.wfile.write(content[:sent])
    call.wfile.flush()


def _reset(call: Any) -> None:
    """End a connection with a reset."""
    call.close_connection = True
    call.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    call.connection.close()
