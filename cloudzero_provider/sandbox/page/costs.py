"""Billing drops: cost by day and service of a month, and all months of a stream."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.common.exact_sums import sum_exactly
from cloudzero_provider.sandbox.page.chart import Look, bar, frame, x_labels
from cloudzero_provider.sandbox.page.choice import Option, choice_list, show_button
from cloudzero_provider.sandbox.page.scale import make_scale
from cloudzero_provider.sandbox.page.stacked import Amounts, render_stacked
from cloudzero_provider.sandbox.page.tables import exact, heads, table
from cloudzero_provider.sandbox.page.template import cell, section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudzero_provider.sandbox.anycost.connections import Connection
    from cloudzero_provider.sandbox.page.breakdown import Breakdown
    from cloudzero_provider.sandbox.page.choice import Choice
    from cloudzero_provider.sandbox.page.data import ShownMonth, Snapshot

_COSTS = Amounts("costs", "Cost", "service", 300)
_ZERO = Decimal(0)
# With more months than this, only those that have data are drawn.
_MAX_MONTHS_DRAWN = 120


def render_costs(snapshot: Snapshot) -> str:
    """Render the chosen month and the months of its stream."""
    stream = snapshot.stream
    if stream is None:
        return section("costs", "Billing drops", "<p>There is no AnyCost stream; --connection ID creates one.</p>")
    months = [month for month in snapshot.months if month.version.stream == stream.id]
    if snapshot.month is None or snapshot.costs is None:
        chosen = _choices(snapshot, stream, months) if len(snapshot.billing) > 1 else ""
        inside = f"{_named(stream)}{chosen}<p>No billing drops yet.</p>"
        return section("costs", "Billing drops", inside)
    inside = f"{_choices(snapshot, stream, months)}{_named(stream)}{_month(snapshot.month, snapshot.costs)}"
    title = f"Cost by day, {cell(snapshot.month.version.month)}"
    return section("costs", title, inside) + _months(snapshot, stream, months, snapshot.month)


def _named(stream: Connection) -> str:
    name = f"{cell(stream.name)} " if stream.name != stream.id else ""
    return f"<p>{name}<code>{cell(stream.id)}</code></p>"


def _choices(snapshot: Snapshot, stream: Connection, months: Sequence[ShownMonth]) -> str:
    kinds = ("AnyCost streams", "AnyCost buckets") if snapshot.buckets else ("", "")
    streams = [Option(one.id, one.name, kinds[0] if one.is_stream else kinds[1]) for one in snapshot.billing]
    names = sorted((month.version.month for month in months), reverse=True)
    shown = snapshot.month.version.month if snapshot.month else None
    return (
        '<div class="choices">'
        + choice_list("stream", "Connection" if snapshot.buckets else "Stream", streams, stream.id)
        + (choice_list("month", "Month", [Option(name, name) for name in names], shown) if names else "")
        + f"{show_button()}</div>"
    )


def _month(month: ShownMonth, breakdown: Breakdown) -> str:
    name = month.version.month
    captions = f"Cost by day and service in {name}", f"Cost by service in {name}"
    total = (
        f'<p class="total"><strong>{exact(month.state.total_cost)}</strong>'
        f" in {month.state.rows:,} rows and {month.state.hours:,} hours</p>"
    )
    return total + render_stacked(breakdown, _COSTS, name, "day", captions)


def _months(snapshot: Snapshot, stream: Connection, months: Sequence[ShownMonth], shown: ShownMonth) -> str:
    rows = "".join(_row(snapshot.choice, month, is_shown=month is shown) for month in reversed(months))
    cost = sum_exactly(Decimal(month.state.total_cost) for month in months)
    columns = (
        ("Month", ""), ("Rows", "number"), ("Cost", "exact"), ("Hours", "number"), ("First hour", "optional"),
        ("Last hour", "optional"), ("Bytes", "number optional"),
    )  # fmt: skip
    caption = f"Months of {stream.name}"
    count = "1 month" if len(months) == 1 else f"{len(months):,} months"
    total = f'<p class="total"><strong>{exact(cost)}</strong> in {count}</p>'
    return section(
        "months",
        "Months",
        f"{total}{_overview(snapshot, stream, months, shown)}{table(caption, heads(*columns), rows)}",
    )


def _row(choice: Choice, month: ShownMonth, *, is_shown: bool) -> str:
    state, version = month.state, month.version
    link = choice.link(stream=version.stream, month=version.month)
    return (
        f'<tr id="month-{cell(version.month)}"{" class=chosen" if is_shown else ""}><th scope="row"><a href="{link}"'
        f"{' aria-current=true' if is_shown else ''}>{cell(version.month)}</a></th>"
        f'<td class="number">{state.rows:,}</td><td class="exact">{exact(state.total_cost)}</td>'
        f'<td class="number">{state.hours:,}</td><td class="optional">{_hour(state.first_hour)}</td>'
        f'<td class="optional">{_hour(state.last_hour)}</td><td class="number optional">{state.size:,}</td></tr>'
    )


def _hour(hour: str) -> str:
    return cell(hour[:16].replace("T", " "))


def _overview(snapshot: Snapshot, stream: Connection, months: Sequence[ShownMonth], shown: ShownMonth) -> str:
    """Draw all months: a backfill fills it, and a month that is missing is a gap."""
    costs = {month.version.month: Decimal(month.state.total_cost) for month in months}
    names = _without_gaps(list(costs))
    look = Look(
        "month-bar", f"Cost by month of {stream.name}. The same figures are in the table below.", 150, str, 12, 4
    )
    scale = make_scale(min(*costs.values(), _ZERO), max(*costs.values(), _ZERO), look.intervals)
    room, step = look.room, 100 / len(names)
    zero = look.top + room * scale.zero
    drawn = []
    for index, name in enumerate(names):
        height = room * scale.height(costs.get(name, _ZERO))
        kind = "chosen" if name == shown.version.month else "month"
        title = f"{name}: {exact(costs[name])}" if name in costs else f"{name}: nothing"
        shape = bar(f"{look.key}-{name}", index * step, step, min(zero, zero - height), abs(height), kind, title)
        if name in costs:
            # For the pointer alone: the keyboard and screen readers have the links of the table.
            link = snapshot.choice.link(stream=stream.id, month=name)
            shape = f'<a id="{look.key}-{name}-link" href="{link}" tabindex="-1" aria-hidden="true">{shape}</a>'
        drawn.append(shape)
    return frame(look, scale, "".join(drawn) + x_labels(names, look))


def _without_gaps(names: Sequence[str]) -> list[str]:
    (year, number), (last_year, last_number) = (map(int, name.split("-")) for name in (names[0], names[-1]))
    first, last = year * 12 + number - 1, last_year * 12 + last_number - 1
    if last - first >= _MAX_MONTHS_DRAWN:
        return list(names[-_MAX_MONTHS_DRAWN:])
    return [f"{count // 12:04}-{count % 12 + 1:02}" for count in range(first, last + 1)]
