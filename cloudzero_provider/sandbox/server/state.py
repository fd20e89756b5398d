"""The state of a running sandbox, and of a request that it handles."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.anycost.connections import ensure_bucket, ensure_streams
from cloudzero_provider.sandbox.anycost.drop import DropReading
from cloudzero_provider.sandbox.anycost.store import forget_all
from cloudzero_provider.sandbox.anycost.totals import MonthStates
from cloudzero_provider.sandbox.buckets.poll import BucketPoller
from cloudzero_provider.sandbox.buckets.store import forget_all as forget_buckets, forget_staged
from cloudzero_provider.sandbox.common.database import Database
from cloudzero_provider.sandbox.server.faults import FaultQueue
from cloudzero_provider.sandbox.server.idempotency import ReplyKey, forget_replies
from cloudzero_provider.sandbox.server.keys import ApiKey, KeyRing
from cloudzero_provider.sandbox.server.request_log import RequestLog, RequestRecord
from cloudzero_provider.sandbox.server.running import RunningRequest, RunningRequests
from cloudzero_provider.sandbox.server.throttle import Throttle
from cloudzero_provider.sandbox.server.waits import DelayedRequests, WaitingClients
from cloudzero_provider.sandbox.settings.all_settings import InvalidSettingError, Settings, changed
from cloudzero_provider.sandbox.telemetry.records import TelemetryReading
from cloudzero_provider.sandbox.telemetry.store import forget_all as forget_telemetry
from cloudzero_provider.sandbox.telemetry.totals import TelemetryStates

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Hashable, Mapping, Sequence
    from pathlib import Path

    from aiohttp import web

    from cloudzero_provider.sandbox.buckets.roots import BucketRoot
    from cloudzero_provider.sandbox.server.endpoints import Target

_MAX_RESET_SECONDS = 1.0


@dataclass
class Call:
    """A request for CloudZero while it is handled."""

    request: web.Request
    target: Target | None
    settings: Settings
    record: RequestRecord
    others: tuple[RunningRequest, ...]
    reply_key: ReplyKey | None = None
    repeats_running_key: bool = False
    body: bytes = b""
    path_month: str = ""
    rate_scope: Hashable = None
    reading: DropReading = field(default_factory=DropReading)
    telemetry: TelemetryReading = field(default_factory=TelemetryReading)

    @property
    def connection_id(self) -> str:
        """The connection id in the path; blank if it has none."""
        return (self.target.connection_id if self.target else None) or ""


class Sandbox:
    """The sandbox's state, on disk and in memory."""

    def __init__(
        self,
        directory: Path,
        keys: Sequence[ApiKey],
        streams: list[tuple[str, str]],
        settings: Mapping[str, object],
        buckets: Sequence[BucketRoot] = (),
    ) -> None:
        self.database = Database(directory)
        self.buckets = BucketPoller(self.database, buckets)
        self.keys = KeyRing(keys)
        self.settings = changed(self.database.write_now(_load_settings), settings)
        self.database.write_now(lambda database: _save_settings(database, self.settings))
        self.database.write_now(lambda database: _ensure_connections(database, streams, buckets))
        self.log = RequestLog(self.database)
        self.running = RunningRequests()
        self.keys_in_use: dict[ReplyKey, int] = {}
        self.faults = FaultQueue()
        self.states = MonthStates()
        self.telemetry_states = TelemetryStates()
        self.throttle = Throttle()
        self.anycost_throttle = Throttle()
        self.delayed = DelayedRequests()
        self.clients = WaitingClients()

    async def change_settings(self, settings: Settings) -> None:
        await self.database.write(lambda database: _save_settings(database, settings))
        self.settings = settings

    async def reset(self) -> None:
        """
        Delete drops, telemetry, requests, kept replies and faults, and what was read of buckets.

        Delayed requests are never applied, and clients that are waited for are disconnected. What lies in a bucket is
        read again with the next poll.
        """
        self.faults.clear()
        self.throttle.reset()
        self.anycost_throttle.reset()
        interrupted = self.delayed.end_all() | self.clients.disconnect_all()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _MAX_RESET_SECONDS
        while interrupted & self.running.numbers() and loop.time() < deadline:  # noqa: ASYNC110 - rare and short
            await asyncio.sleep(0.005)

        def forget(database: sqlite3.Connection) -> None:
            forget_all(database)
            forget_buckets(database)
            forget_telemetry(database)
            forget_replies(database)
            self.log.forget_all(database)

        await asyncio.wrap_future(self.buckets.stop_and_do(forget))

    def record_applied(self, database: sqlite3.Connection, call: Call, now: float) -> None:
        """Mark the request as applied in its log entry, inside the caller's transaction."""
        call.record = replace(call.record, applied=True, applied_at=now)
        self.log.save_in(database, call.record)

    def close(self) -> None:
        self.buckets.close()
        self.database.close()


def _ensure_connections(
    database: sqlite3.Connection, streams: list[tuple[str, str]], buckets: Sequence[BucketRoot]
) -> None:
    ensure_streams(database, streams)
    for root in buckets:
        ensure_bucket(database, root.name, root.as_bucket_info())
    forget_staged(database)


def _load_settings(database: sqlite3.Connection) -> Settings:
    stored = {name: json.loads(value) for name, value in database.execute("SELECT name, value FROM settings")}
    settings = Settings()
    for name, value in stored.items():
        try:
            settings = changed(settings, {name: value})
        except InvalidSettingError:
            # Saved by a version that has this setting; this version uses its default.
            continue
    return settings


def _save_settings(database: sqlite3.Connection, settings: Settings) -> None:
    rows = ((name, json.dumps(value)) for name, value in settings.as_json().items())
    database.executemany("INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)", rows)
