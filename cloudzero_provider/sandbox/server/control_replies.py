"""The replies that the parts of the control API have in common."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from aiohttp import web

from cloudzero_provider.sandbox.anycost.reads import open_month
from cloudzero_provider.sandbox.common.months import parse_month
from cloudzero_provider.sandbox.settings.anycost import MonthFormat

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from cloudzero_provider.sandbox.anycost.totals import MonthStates, MonthVersion
    from cloudzero_provider.sandbox.common.database import Database


def figures_json(database: sqlite3.Connection, states: MonthStates, key: MonthVersion) -> dict[str, object]:
    """Return the rows, exact totals and digest of a month."""
    state = states.state(database, key)
    return {
        "rows": state.rows,
        "total_cost": state.total_cost,
        "totals": state.totals,
        "hours": state.hours,
        "first_hour": state.first_hour,
        "last_hour": state.last_hour,
        "bytes": state.size,
        "digest": states.digest(database, key),
    }


async def month_rows(request: web.Request, database: Database, connection_id: str) -> web.StreamResponse:
    """Every stored row of the month in the path; none if there is no such month."""
    try:
        month = parse_month(request.match_info["month"], MonthFormat.YEAR_MONTH)
    except ValueError as error:
        raise bad_request(f"month {error}") from None
    contents = await database.read(lambda _: open_month(database, connection_id, month, None))
    return await stream_json(request, iter((b"[]",)) if contents is None else contents.pieces)


async def stream_json(request: web.Request, pieces: Iterator[bytes]) -> web.StreamResponse:
    """Reply with JSON, a piece at a time."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    if request.method == "HEAD":
        await response.write_eof()
        return response
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        await response.write(piece)
    await response.write_eof()
    return response


def bad_request(message: str) -> web.HTTPBadRequest:
    """A 400 with a message."""
    return web.HTTPBadRequest(text=_error(message), content_type="application/json")


def not_found(message: str) -> web.HTTPNotFound:
    """A 404 with a message."""
    return web.HTTPNotFound(text=_error(message), content_type="application/json")


def _error(message: str) -> str:
    return json.dumps({"error": {"message": message}})
