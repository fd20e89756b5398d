"""The HTTP server."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from aiohttp import web

from cloudzero_provider.sandbox.anycost.connections import list_all
from cloudzero_provider.sandbox.http.connection import HttpConnection, handle_expect
from cloudzero_provider.sandbox.server.bucket_api import BucketApi, poll_buckets
from cloudzero_provider.sandbox.server.cloudzero_api import CloudZeroApi
from cloudzero_provider.sandbox.server.control_api import ControlApi
from cloudzero_provider.sandbox.server.control_guard import ControlGuard, is_control_path
from cloudzero_provider.sandbox.server.page_api import PageApi
from cloudzero_provider.sandbox.server.start_text import start_text

if TYPE_CHECKING:
    from cloudzero_provider.sandbox.server.state import Sandbox

# Enough for a handler to notice the shutdown, and short enough to end at once.
_SHUTDOWN_SECONDS = 0.05


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Address:
    """Where the sandbox listens."""

    host: str
    port: int

    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


def make_app(sandbox: Sandbox, own_hosts: Sequence[str] = ()) -> web.Application:
    """Build the application: the control API, and CloudZero's API on every other path."""
    app = web.Application(middlewares=[ControlGuard(sandbox.keys, own_hosts).middleware])
    ControlApi(sandbox).add_routes(app.router)
    BucketApi(sandbox).add_routes(app.router)
    PageApi(sandbox).add_routes(app.router)
    app.router.add_route("*", "/{tail:(?s:.*)}", _cloudzero_or_404(CloudZeroApi(sandbox)), expect_handler=handle_expect)
    return app


def _cloudzero_or_404(cloudzero: CloudZeroApi) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        if is_control_path(request.path):
            return web.json_response({"error": {"message": "The sandbox does not have this path."}}, status=404)
        return await cloudzero.handle(request)

    return handle


async def serve(
    sandbox: Sandbox,
    address: Address,
    own_hosts: Sequence[str] = (),
    *,
    shown_key: str | None = None,
    poll_seconds: float = 0,
) -> None:
    """
    Serve until SIGTERM or SIGINT.

    :param sandbox: what is served.
    :param address: where.
    :param own_hosts: names and addresses of other machines that may use the page and the control API.
    :param shown_key: the key to print; ``None`` where the output may be stored.
    :param poll_seconds: how long to wait between two polls of the buckets; 0 polls on request only.
    """
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    runner = web.AppRunner(make_app(sandbox, own_hosts), shutdown_timeout=_SHUTDOWN_SECONDS)
    await runner.setup()
    # Set by runner.setup().
    server = cast("web.Server", runner.server)
    try:
        listener = await loop.create_server(
            lambda: HttpConnection(sandbox.keys, server, loop), address.host, address.port, backlog=128
        )
        port = listener.sockets[0].getsockname()[1]
        connections = await sandbox.database.read(list_all)
        url = Address(address.host, port).url()
        print(start_text(url, connections, shown_key, sandbox.buckets.roots), flush=True)  # noqa: T201
        polling = asyncio.create_task(poll_buckets(sandbox, poll_seconds)) if poll_seconds else None
        await ended.wait()
        if polling:
            polling.cancel()
        listener.close()
    finally:
        await runner.cleanup()
