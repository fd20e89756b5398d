"""The control API under ``/sandbox``: stored data, the request log, faults and settings."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from aiohttp import web

from cloudzero_provider.sandbox.anycost.connections import list_all
from cloudzero_provider.sandbox.anycost.totals import MonthVersion, drop_ids
from cloudzero_provider.sandbox.common.json_text import NotJsonError, parse_json
from cloudzero_provider.sandbox.http.connection import handle_expect
from cloudzero_provider.sandbox.page.data import shown_streams
from cloudzero_provider.sandbox.server.bucket_api import buckets_json
from cloudzero_provider.sandbox.server.control_replies import (
    bad_request,
    figures_json,
    month_rows,
    not_found,
    stream_json,
)
from cloudzero_provider.sandbox.server.faults import InvalidFaultError, parse_fault
from cloudzero_provider.sandbox.settings.all_settings import InvalidSettingError, Settings, changed, possible_values
from cloudzero_provider.sandbox.telemetry.store import key_sets
from cloudzero_provider.sandbox.telemetry.totals import open_records

if TYPE_CHECKING:
    import sqlite3

    from cloudzero_provider.sandbox.server.state import Sandbox

_MAX_BODY_BYTES = 1_000_000


class ControlApi:
    """Needs no API key; ``ControlGuard`` decides who has access."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def add_routes(self, router: web.UrlDispatcher) -> None:
        routes = (
            ("GET", "/sandbox/state", self.state),
            ("GET", "/sandbox/streams/{stream}/{month}/rows", self.month_rows),
            ("GET", "/sandbox/telemetry/{name}/records", self.telemetry_records),
            ("GET", "/sandbox/requests", self.requests),
            ("GET", "/sandbox/faults", self.faults),
            ("POST", "/sandbox/faults", self.arm_faults),
            ("DELETE", "/sandbox/faults", self.clear_faults),
            ("GET", "/sandbox/settings", self.settings),
            ("POST", "/sandbox/settings", self.change_settings),
            ("DELETE", "/sandbox/settings", self.default_settings),
            ("POST", "/sandbox/reset", self.reset),
        )
        add = {"GET": router.add_get, "POST": router.add_post, "DELETE": router.add_delete}
        for method, path, handler in routes:
            add[method](path, handler, expect_handler=handle_expect)

    async def state(self, _request: web.Request) -> web.Response:
        """Every stream with its rows, exact totals, and a digest that does not depend on their order."""
        return web.json_response(await self._sandbox.database.read(self._state_json))

    def _state_json(self, database: sqlite3.Connection) -> dict[str, object]:
        return {
            "streams": self._streams_json(database),
            "buckets": buckets_json(self._sandbox, database),
            "telemetry": self._telemetry_json(database),
        }

    def _telemetry_json(self, database: sqlite3.Connection) -> dict[str, object]:
        return {
            shown.stream.name: {
                "kind": shown.stream.kind.value,
                "granularity": shown.stream.granularity.value,
                "status": shown.status.value,
                "key_sets": [list(key_set) for key_set in key_sets(database, shown.stream)],
                **shown.state.as_json(),
            }
            for shown in shown_streams(database, self._sandbox.telemetry_states, self._sandbox.settings, time.time())
        }

    async def telemetry_records(self, request: web.Request) -> web.StreamResponse:
        """Every record of a telemetry stream that is not deleted, by time, with its exact value."""
        name = request.match_info["name"]
        pieces = await self._sandbox.database.read(lambda _: open_records(self._sandbox.database, name))
        if pieces is None:
            raise not_found("There is no telemetry stream with this name.")
        return await stream_json(request, pieces)

    async def month_rows(self, request: web.Request) -> web.StreamResponse:
        """Every stored row of a month; the settings for CloudZero's own reads do not apply."""
        return await month_rows(request, self._sandbox.database, request.match_info["stream"])

    def _streams_json(self, database: sqlite3.Connection) -> dict[str, object]:
        streams: dict[str, dict[str, object]] = {}
        names = {connection.id: connection.name for connection in list_all(database) if connection.is_stream}
        months = self._sandbox.states.months(database)
        for stream, name in names.items():
            month_states = {key.month: self._month_json(database, key) for key in months if key.stream == stream}
            streams[stream] = {"name": name, "months": month_states}
        return dict(streams)

    def _month_json(self, database: sqlite3.Connection, key: MonthVersion) -> dict[str, object]:
        return {**figures_json(database, self._sandbox.states, key), "drop_ids": drop_ids(database, key)}

    async def requests(self, request: web.Request) -> web.Response:
        """The requests after number ``since`` in order of arrival, including running ones."""
        since = request.query.get("since", "0")
        if not (since.isascii() and since.isdigit() and len(since) < 16):
            raise bad_request("since must be a whole number")
        return web.json_response({"requests": await self._sandbox.log.since(int(since))})

    async def faults(self, _request: web.Request) -> web.Response:
        return self._faults_reply()

    async def arm_faults(self, request: web.Request) -> web.Response:
        """Arm the given faults: all of them, or none if one is invalid."""
        body = await _read_object(request)
        listed = body.get("faults")
        if set(body) != {"faults"} or not isinstance(listed, list):
            raise bad_request('the body must be {"faults": [...]}')
        faults = []
        for index, value in enumerate(listed):
            try:
                faults.append(parse_fault(value))
            except InvalidFaultError as error:
                raise bad_request(f"fault {index}: {error}") from None
        self._sandbox.faults.arm(faults)
        return self._faults_reply()

    async def clear_faults(self, _request: web.Request) -> web.Response:
        self._sandbox.faults.clear()
        return self._faults_reply()

    def _faults_reply(self) -> web.Response:
        return web.json_response({"faults": [fault.as_json() for fault in self._sandbox.faults.armed]})

    async def settings(self, _request: web.Request) -> web.Response:
        return self._settings()

    async def change_settings(self, request: web.Request) -> web.Response:
        """Change the given settings: all of them, or none if one is invalid."""
        values = await _read_object(request)
        try:
            settings = changed(self._sandbox.settings, values)
        except InvalidSettingError as error:
            raise bad_request(str(error)) from None
        await self._sandbox.change_settings(settings)
        return self._settings()

    async def default_settings(self, _request: web.Request) -> web.Response:
        await self._sandbox.change_settings(Settings())
        return self._settings()

    def _settings(self) -> web.Response:
        return web.json_response({"settings": self._sandbox.settings.as_json(), "possible": possible_values()})

    async def reset(self, _request: web.Request) -> web.Response:
        """Delete drops, telemetry, requests, kept replies and faults. Connections and settings stay."""
        await self._sandbox.reset()
        return web.json_response({})


async def _read_object(request: web.Request) -> dict[str, object]:
    text = await request.content.read(_MAX_BODY_BYTES)
    while not request.content.at_eof() and len(text) < _MAX_BODY_BYTES:
        text += await request.content.read(_MAX_BODY_BYTES)
    try:
        value = parse_json(text)
    except NotJsonError as error:
        raise bad_request(f"the body is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise bad_request("the body must be a JSON object")
    return value
