"""Bucket connections in the control API, and the loop that polls them."""

from __future__ import annotations

import asyncio
import hashlib
import sys
import traceback
from typing import TYPE_CHECKING

from aiohttp import web

from cloudzero_provider.sandbox.buckets.state import bucket_states
from cloudzero_provider.sandbox.http.connection import handle_expect
from cloudzero_provider.sandbox.server.control_replies import figures_json, month_rows, not_found

if TYPE_CHECKING:
    import sqlite3

    from cloudzero_provider.sandbox.anycost.totals import MonthVersion
    from cloudzero_provider.sandbox.buckets.state import BucketMonth, BucketState
    from cloudzero_provider.sandbox.server.state import Sandbox

_NO_ROWS = {
    "rows": 0,
    "total_cost": "0",
    "totals": {},
    "hours": 0,
    "first_hour": None,
    "last_hour": None,
    "bytes": 0,
    "digest": hashlib.sha256(b"").hexdigest(),
}


class BucketApi:
    """Needs no API key; ``ControlGuard`` decides who has access."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_post("/sandbox/buckets/poll", self.poll, expect_handler=handle_expect)
        router.add_get("/sandbox/buckets/{name}/{month}/rows", self.rows, expect_handler=handle_expect)

    async def poll(self, _request: web.Request) -> web.Response:
        """Poll all buckets now, after the poll that runs; the reply is their state after it."""
        sandbox = self._sandbox
        await asyncio.wrap_future(sandbox.buckets.poll(sandbox.settings))
        return web.json_response(
            {"buckets": await sandbox.database.read(lambda database: buckets_json(sandbox, database))}
        )

    async def rows(self, request: web.Request) -> web.StreamResponse:
        """Every row that a month of a bucket connection holds."""
        sandbox, name = self._sandbox, request.match_info["name"]
        states = await sandbox.database.read(lambda database: _states(sandbox, database))
        if name not in {state.connection.id for state in states}:
            raise not_found("There is no bucket connection with this name.")
        return await month_rows(request, sandbox.database, name)


async def poll_buckets(sandbox: Sandbox, seconds: float) -> None:
    """
    Poll all buckets again and again.

    :param sandbox: which buckets.
    :param seconds: the pause between two polls.
    """
    while True:
        try:
            await asyncio.wrap_future(sandbox.buckets.poll(sandbox.settings))
        except Exception:
            # A mistake of the sandbox must not end the polls in silence.
            traceback.print_exc(file=sys.stderr)
        await asyncio.sleep(seconds)


def buckets_json(sandbox: Sandbox, database: sqlite3.Connection) -> dict[str, object]:
    """Return every bucket connection with its months."""
    versions = {(key.stream, key.month): key for key in sandbox.states.months(database)}
    return {
        state.connection.id: {
            "root": state.root,
            "is_polled": state.is_polled,
            "error": state.error,
            "refused_folders": dict(state.refused_folders),
            "months": {
                month.month: _month_json(sandbox, database, month, versions.get((state.connection.id, month.month)))
                for month in state.months
            },
        }
        for state in _states(sandbox, database)
    }


def _states(sandbox: Sandbox, database: sqlite3.Connection) -> list[BucketState]:
    return bucket_states(database, sandbox.buckets.names)


def _month_json(
    sandbox: Sandbox, database: sqlite3.Connection, month: BucketMonth, version: MonthVersion | None
) -> dict[str, object]:
    figures = _NO_ROWS if version is None else figures_json(database, sandbox.states, version)
    return {
        "current_drop_id": month.current.drop_id if month.current else None,
        "ingested_at": month.current.ended_at if month.current else None,
        **figures,
        "last_error": month.last_error,
        "history": [ingestion.as_json() for ingestion in month.history],
    }
