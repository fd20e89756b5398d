"""The page: streams with their months, cost by day, telemetry, and the last requests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from cloudzero_provider.sandbox.anycost.connections import Connection, list_all
from cloudzero_provider.sandbox.common.exact_sums import with_thousands_separators
from cloudzero_provider.sandbox.page.chart import draw_days
from cloudzero_provider.sandbox.page.telemetry import render_telemetry
from cloudzero_provider.sandbox.page.template import PAGE, cell

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from cloudzero_provider.sandbox.anycost.totals import MonthState, MonthStates, MonthVersion
    from cloudzero_provider.sandbox.page.telemetry import ShownStream


@dataclass(frozen=True)
class _Month:
    key: MonthVersion
    state: MonthState


def render(
    database: sqlite3.Connection,
    states: MonthStates,
    telemetry: Sequence[ShownStream],
    requests: Sequence[dict[str, object]],
    chosen: tuple[str | None, str | None],
) -> str:
    """Render the page as HTML, with a chart of the chosen stream and month, or of the latest month."""
    connections = {connection.id: connection for connection in list_all(database) if connection.is_stream}
    keys = [key for key in states.months(database) if key.stream in connections]
    months = [_Month(key, states.state(database, key)) for key in keys]
    shown = _chosen(months, chosen)
    streams = "".join(_stream(connection, months, shown) for connection in connections.values())
    chart = _chart(shown, connections[shown.key.stream]) if shown else ""
    shown_telemetry = render_telemetry(telemetry)
    return PAGE.substitute(streams=streams, chart=chart, telemetry=shown_telemetry, requests=_requests(requests))


def _chosen(months: Sequence[_Month], chosen: tuple[str | None, str | None]) -> _Month | None:
    """Return the chosen month, or the latest one."""
    found = [month for month in months if (month.key.stream, month.key.month) == chosen]
    return found[0] if found else max(months, key=lambda month: month.key.month, default=None)


def _stream(connection: Connection, months: Sequence[_Month], shown: _Month | None) -> str:
    rows = "".join(_month(month, is_shown=month is shown) for month in months if month.key.stream == connection.id)
    table = (
        "<table><tr><th>Month<th class=number>Rows<th class=exact>Cost<th class=number>Hours"
        f"<th>First hour<th>Last hour<th class=number>Bytes</tr>{rows}</table>"
        if rows
        else "<p>No billing drops yet.</p>"
    )
    return f"<section><h2>{cell(connection.name)}</h2><code>{cell(connection.id)}</code>{table}</section>"


def _month(month: _Month, *, is_shown: bool) -> str:
    state = month.state
    link = "?" + urlencode({"stream": month.key.stream, "month": month.key.month})
    return (
        f"<tr{' class=chosen' if is_shown else ''}><td><a href='{escape(link)}'>{cell(month.key.month)}</a>"
        f"<td class=number>{state.rows:,}<td class=exact>{cell(with_thousands_separators(state.total_cost))}"
        f"<td class=number>{state.hours:,}<td>{_hour(state.first_hour)}<td>{_hour(state.last_hour)}"
        f"<td class=number>{state.size:,}</tr>"
    )


def _hour(hour: str) -> str:
    return cell(hour[:16].replace("T", " "))


def _chart(month: _Month, connection: Connection) -> str:
    title = f"Cost by day, {month.key.month}"
    svg = draw_days(month.key.month, month.state.cost_by_day)
    return f"<section><h2>{cell(title)}</h2><p>{cell(connection.name)}</p>{svg}</section>"


def _requests(requests: Sequence[dict[str, object]]) -> str:
    if not requests:
        return "<p>No requests yet.</p>"
    head = "<tr><th class=number>No.<th>Time<th>Request<th>Operation<th>Month<th class=number>Rows<th>Outcome</tr>"
    return f"<table>{head}{''.join(map(_request, requests))}</table>"


def _request(record: dict[str, object]) -> str:
    started = datetime.fromtimestamp(float(str(record["started"])), timezone.utc)
    rows = record["rows"]
    return (
        f"<tr><td class=number>{cell(record['number'])}<td>{started:%H:%M:%S}"
        f"<td><code>{cell(record['method'])} {cell(record['path'])}</code>"
        f"<td>{cell(record['operation'])}<td>{cell(record['month'])}"
        f"<td class=number>{f'{rows:,}' if isinstance(rows, int) else ''}<td>{_outcome(record)}</tr>"
    )


def _outcome(record: dict[str, object]) -> str:
    status = record["status"]
    without_status = "running" if record["ended"] is None else "no reply"
    outcome = without_status if status is None else str(status)
    is_good = isinstance(status, int) and status < 300
    notes = [str(record["fault"] or "").replace("_", " "), "replayed" if record["replayed"] else ""]
    if record["applied"] and not is_good:
        notes.append("applied")
    details = ", ".join(note for note in notes if note)
    return f"<span class={'good' if is_good else 'bad'}>{cell(outcome)}</span> {cell(details)}"
