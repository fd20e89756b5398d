"""A proxy in front of the sandbox that records posted bodies byte for byte."""

from __future__ import annotations

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

#: Headers of a connection, not of a request or a reply.
_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host", "date", "server"}


class WireTap:
    """A proxy; it listens until ``stop``."""

    def __init__(self, url: str, key: str) -> None:
        self.key = key
        self._target = urlsplit(url)
        self._posted: list[tuple[str, bytes]] = []
        tap = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                tap._forward(self)

            def do_POST(self) -> None:
                tap._forward(self)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def take_posted(self) -> list[tuple[str, bytes]]:
        """Path and body of each POST since the last call, in order."""
        taken, self._posted = self._posted, []
        return taken

    def _forward(self, call: BaseHTTPRequestHandler) -> None:
        body = call.rfile.read(int(call.headers.get("Content-Length") or 0))
        if call.command == "POST":
            self._posted.append((call.path, body))
        onward = http.client.HTTPConnection(self._target.hostname or "", self._target.port, timeout=60)
        try:
            onward.request(call.command, call.path, body or None, _end_to_end(call.headers.items()))
            reply = onward.getresponse()
            content = reply.read()
        finally:
            onward.close()
        call.send_response(reply.status)
        for name, value in _end_to_end(reply.getheaders()).items():
            call.send_header(name, value)
        call.send_header("Content-Length", str(len(content)))
        call.end_headers()
        call.wfile.write(content)


def _end_to_end(headers: list[tuple[str, str]]) -> dict[str, str]:
    return {name: value for name, value in headers if name.lower() not in _HOP}
