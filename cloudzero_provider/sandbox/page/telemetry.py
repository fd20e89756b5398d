"""Telemetry streams on the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.common.exact_sums import with_thousands_separators
from cloudzero_provider.sandbox.page.chart import draw_days
from cloudzero_provider.sandbox.page.template import cell
from cloudzero_provider.sandbox.telemetry.model import StreamStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudzero_provider.sandbox.telemetry.store import TelemetryStream
    from cloudzero_provider.sandbox.telemetry.totals import TelemetryState

# Further streams appear in the table only.
_MAX_CHARTS = 12


@dataclass(frozen=True)
class ShownStream:
    """A stream with its status and records."""

    stream: TelemetryStream
    status: StreamStatus
    state: TelemetryState


def render_telemetry(streams: Sequence[ShownStream]) -> str:
    """Render the streams as a table, with a chart of each stream's last month by day."""
    if not streams:
        return "<p>No telemetry yet.</p>"
    head = (
        "<tr><th>Stream<th>Type<th>Granularity<th>Status<th class=number>Records<th class=exact>Total"
        "<th class=number>Deleted<th>First<th>Last</tr>"
    )
    charts = "".join(map(_chart, [shown for shown in streams if shown.state.last][:_MAX_CHARTS]))
    return f"<table>{head}{''.join(map(_row, streams))}</table><div class=charts>{charts}</div>"


def _row(shown: ShownStream) -> str:
    stream, state = shown.stream, shown.state
    return (
        f"<tr><td>{cell(stream.name)}<td>{cell(stream.kind.value)}<td>{cell(stream.granularity.value)}"
        f"<td>{_status(shown.status)}<td class=number>{state.records:,}"
        f"<td class=exact>{cell(with_thousands_separators(state.total))}<td class=number>{state.hidden:,}"
        f"<td>{_time(state.first)}<td>{_time(state.last)}</tr>"
    )


def _status(status: StreamStatus) -> str:
    word = cell(status.value)
    return f"<span class=bad>{word}</span>" if status is StreamStatus.INVALID else word


def _time(timestamp: str | None) -> str:
    return cell((timestamp or "")[:16].replace("T", " "))


def _chart(shown: ShownStream) -> str:
    month = (shown.state.last or "")[:7]
    drawn = draw_days(month, shown.state.total_by_day, "Value")
    return f"<figure><figcaption>{cell(shown.stream.name)}, {cell(month)}</figcaption>{drawn}</figure>"
