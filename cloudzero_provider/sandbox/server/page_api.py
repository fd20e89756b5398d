"""The page and what it loads. Everything comes from this server, and a browser is told to load nothing else."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from aiohttp import web

from cloudzero_provider.sandbox.anycost.connections import list_all
from cloudzero_provider.sandbox.buckets.state import bucket_states
from cloudzero_provider.sandbox.http.connection import handle_expect
from cloudzero_provider.sandbox.page.choice import Choice
from cloudzero_provider.sandbox.page.data import Control, ShownRequests, Snapshot, Totals, take_snapshot
from cloudzero_provider.sandbox.page.page import render_content, render_page
from cloudzero_provider.sandbox.page.template import CONTENT_PATH, ICON_PATH, SCRIPT_PATH, STYLE_PATH, static_file
from cloudzero_provider.sandbox.server.request_log import count_requests, last_requests
from cloudzero_provider.sandbox.server.start_text import airflow_connection

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from cloudzero_provider.sandbox.server.state import Sandbox

_SHOWN_REQUESTS = 50
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
_FILES = {
    SCRIPT_PATH: ("script.js", "text/javascript"),
    STYLE_PATH: ("style.css", "text/css"),
    ICON_PATH: ("icon.svg", "image/svg+xml"),
}


class PageApi:
    """Serves the page. Like the control API it needs no key; ``ControlGuard`` decides who has access."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._totals = Totals(sandbox.states, sandbox.telemetry_states)
        self._files = {path: (static_file(name), kind) for path, (name, kind) in _FILES.items()}

    def add_routes(self, router: web.UrlDispatcher) -> None:
        routes = (("/", self.page), (CONTENT_PATH, self.content), *((path, self.file) for path in _FILES))
        for path, handler in routes:
            router.add_get(path, handler, expect_handler=handle_expect)

    async def page(self, request: web.Request) -> web.Response:
        """The whole document."""
        return _response(await self._render(request, render_page), "text/html")

    async def content(self, request: web.Request) -> web.Response:
        """
        What the page shows now, as HTML to put into it.

        The script asks every second, and sends the ``ETag`` of what it has; if nothing changed, the reply is a 304.
        """
        content = await self._render(request, render_content)
        tag = f'"{hashlib.sha256(content).hexdigest()}"'
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304, headers={**_HEADERS, "ETag": tag})
        response = _response(content, "text/html")
        response.headers["ETag"] = tag
        return response

    async def file(self, request: web.Request) -> web.Response:
        return _response(*self._files[request.path])

    async def _render(self, request: web.Request, render: Callable[[Snapshot], str]) -> bytes:
        sandbox = self._sandbox
        choice = Choice.from_query(request.query)
        url = f"{request.scheme}://{request.host}"
        await sandbox.log.flush()

        def read(database: sqlite3.Connection) -> str:
            streams = [connection for connection in list_all(database) if connection.is_stream]
            faults = [fault.as_json() for fault in sandbox.faults.armed]
            control = Control(faults, sandbox.settings, url, airflow_connection(url, streams, None))
            buckets = bucket_states(database, sandbox.buckets.names)
            return render(take_snapshot(database, streams, self._totals, choice, _read_requests, control, buckets))

        return (await sandbox.database.read(read)).encode("utf-8", "replace")


def _read_requests(database: sqlite3.Connection, connection_id: str | None, stream: str | None) -> ShownRequests:
    last = last_requests(database, _SHOWN_REQUESTS, connection_id, stream)
    return ShownRequests(count_requests(database), last)


def _response(content: bytes, kind: str) -> web.Response:
    return web.Response(body=content, content_type=kind, charset="utf-8", headers=_HEADERS)
