"""Telemetry streams: values over time by element, and all streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.page.choice import Option, choice_list, show_button
from cloudzero_provider.sandbox.page.stacked import Amounts, render_stacked
from cloudzero_provider.sandbox.page.tables import exact, heads, table
from cloudzero_provider.sandbox.page.template import cell, section
from cloudzero_provider.sandbox.telemetry.model import StreamStatus

if TYPE_CHECKING:
    from cloudzero_provider.sandbox.page.breakdown import Breakdown
    from cloudzero_provider.sandbox.page.choice import Choice
    from cloudzero_provider.sandbox.page.data import ShownStream, Snapshot

_VALUES = Amounts("telemetry", "Value", "element", 240)
_COLUMNS = (
    ("Stream", ""), ("Type", "optional"), ("Granularity", "optional"), ("Status", ""), ("Records", "number"),
    ("Total", "exact"), ("Deleted", "number optional"), ("First", "optional"), ("Last", "optional"),
)  # fmt: skip


def render_telemetry(snapshot: Snapshot) -> str:
    """Render the chosen stream and the list of all streams."""
    shown = snapshot.shown_telemetry
    if shown is None:
        return section("telemetry", "Telemetry", "<p>No telemetry yet.</p>")
    rows = "".join(_row(snapshot.choice, one, is_shown=one is shown) for one in snapshot.telemetry)
    caption = "Telemetry streams"
    chart = "<p>The stream has no records.</p>"
    if snapshot.period and snapshot.values:
        chart = _chart(shown, snapshot.period, snapshot.values)
    return section(
        "telemetry", "Telemetry", f"{_choices(snapshot, shown)}{chart}{table(caption, heads(*_COLUMNS), rows)}"
    )


def _choices(snapshot: Snapshot, shown: ShownStream) -> str:
    streams = [Option(one.stream.name, one.stream.name) for one in snapshot.telemetry]
    periods = [Option(period, period) for period in shown.periods]
    return (
        '<div class="choices">'
        + choice_list("telemetry", "Stream", streams, shown.stream.name)
        + (choice_list("period", "Period", periods, snapshot.period) if periods else "")
        + f"{show_button()}</div>"
    )


def _chart(shown: ShownStream, period: str, breakdown: Breakdown) -> str:
    name = shown.stream.name
    unit = "month" if shown.digits == 7 else "day"
    captions = f"{name}, {period}: value by {unit} and element", f"{name}, {period}: value by element"
    total = f'<h3>{cell(name)}, {cell(period)}</h3><p class="total"><strong>{exact(breakdown.total)}</strong></p>'
    return total + render_stacked(breakdown, _VALUES, period, unit, captions)


def _row(choice: Choice, shown: ShownStream, *, is_shown: bool) -> str:
    stream, state = shown.stream, shown.state
    link = choice.link(telemetry=stream.name)
    return (
        f'<tr id="stream-{cell(stream.name, 300)}"{" class=chosen" if is_shown else ""}><th scope="row">'
        f'<a href="{link}"{" aria-current=true" if is_shown else ""}>{cell(stream.name)}</a></th>'
        f'<td class="optional">{cell(stream.kind.value)}</td>'
        f'<td class="optional">{cell(stream.granularity.value)}</td><td>{_status(shown.status)}</td>'
        f'<td class="number">{state.records:,}</td><td class="exact">{exact(state.total)}</td>'
        f'<td class="number optional">{state.hidden:,}</td><td class="optional">{_time(state.first)}</td>'
        f'<td class="optional">{_time(state.last)}</td></tr>'
    )


def _status(status: StreamStatus) -> str:
    kind = {StreamStatus.INVALID: "bad", StreamStatus.AVAILABLE: "good"}.get(status, "soft")
    return f'<span class="badge {kind}">{cell(status.value)}</span>'


def _time(timestamp: str | None) -> str:
    return cell((timestamp or "")[:16].replace("T", " "))
