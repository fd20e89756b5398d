"""A plan's report in Markdown, for a person who approves it, a log or a file."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from cloudzero_provider.anycost.comparison.sums import NOTHING
from cloudzero_provider.values.counted import counted
from cloudzero_provider.values.decimal_strings import difference
from cloudzero_provider.values.markdown_tables import amount, signed, table
from cloudzero_provider.values.markdown_text import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudzero_provider.anycost.comparison.changes import Change, MonthChanges
    from cloudzero_provider.anycost.comparison.report import PlanReport
    from cloudzero_provider.anycost.comparison.sums import RowsAndCost

_COLUMNS = ("rows before", "rows after", "cost before", "cost after", "difference", "added", "removed", "changed")


def report_markdown(report: PlanReport) -> str:
    """
    Render a report. Values of rows are escaped, and amounts are exact.

    :param report: the report.
    """
    return "\n".join(_blocks(report))


def _blocks(report: PlanReport) -> Iterator[str]:
    yield f"### {headline(report)}\n"
    yield from _introduction(report)
    yield from _totals(report)
    if report.changes:
        yield "#### Difference\n"
        yield from _changes(report.changes)
    yield "#### Days without rows\n"
    yield f"{', '.join(report.days_without_rows) or 'None.'}\n"
    yield from _requests(report)


def headline(report: PlanReport) -> str:
    """
    Say in a sentence what changes.

    :param report: the report.
    """
    becomes, changes = report.becomes, report.changes
    sent = f"{counted(report.sent.rows, 'row')}, cost {amount(report.sent.cost)}"
    if becomes is None:
        return f"{report.month}: sends {sent}"
    after = f"{counted(becomes.rows, 'row')}, cost {amount(becomes.cost)}"
    if changes is None:
        return f"{report.month}: becomes {after}"
    if report.held is None:
        return f"{report.month}: nothing held → {after}"
    before = f"{counted(report.held.rows, 'row')}, cost {amount(report.held.cost)}"
    change = difference(becomes.cost, report.held.cost)
    return f"{report.month}: {before} → {after} ({signed(change)}{_percent(change, report.held.cost)})"


def _introduction(report: PlanReport) -> Iterator[str]:
    stream = shown(report.anycost_connection_id)
    yield f"A plan for AnyCost stream {stream}, with `{report.operation}`. Nothing was sent.\n"
    if report.held_problem is not None:
        yield f"**What CloudZero holds can't be compared:** {shown(report.held_problem, longest=1_000)}\n"
    elif report.is_unchanged:
        yield "**CloudZero holds exactly these rows already.**\n"
    if report.kept and report.kept.rows:
        yield f"{counted(report.kept.rows, 'row')}, cost {amount(report.kept.cost)}, stay as they are.\n"


def _requests(report: PlanReport) -> Iterator[str]:
    yield "#### Requests\n"
    limits = report.limits
    lines = [
        ("rows", f"{report.sent.rows:,}", f"{limits.max_month_rows:,}"),
        ("bytes", f"{report.bytes:,}", f"{limits.max_month_bytes:,}"),
        ("bytes of the largest request", f"{report.largest_request_bytes:,}", f"{limits.max_body_bytes:,}"),
        ("requests", f"{report.requests:,}", ""),
    ]
    yield from table(("sends", "planned", "limit"), lines)


def _totals(report: PlanReport) -> Iterator[str]:
    yield "#### Totals\n"
    becomes = report.becomes
    if becomes is None or report.changes is None:
        yield from table(("", "sent"), ((shown(name), amount(total)) for name, total in report.sent.totals.items()))
        return
    held = report.held.totals if report.held else {}
    lines = [(name, held.get(name, "0"), total) for name, total in becomes.totals.items()]
    yield from table(
        ("", "before", "after", "difference"),
        ((shown(name), amount(old), amount(new), signed(difference(new, old))) for name, old, new in lines),
    )


def _changes(changes: MonthChanges) -> Iterator[str]:
    total = changes.total
    lines = [
        _difference_line("added", None, total.added),
        _difference_line("removed", total.removed, None),
        _difference_line("changed", total.changed_before, total.changed_after),
        _difference_line("unchanged", total.unchanged, total.unchanged),
    ]
    yield from table(("", "rows", "cost before", "cost after", "difference"), lines)
    yield f"#### By {shown(changes.by)}\n"
    yield from table((shown(changes.by), *_COLUMNS), _value_lines(changes))
    yield "#### Largest movers\n"
    yield from _movers(changes)
    # A month of days is the longest list, so it is below those that a person reads first.
    yield "#### By day\n"
    yield from table(("day", *_COLUMNS), ((one.day, *_cells(one.change)) for one in changes.by_day))


def _difference_line(name: str, before: RowsAndCost | None, after: RowsAndCost | None) -> Sequence[str]:
    old, new = (part.cost if part else "0" for part in (before, after))
    rows = (after or before or NOTHING).rows
    costs = (amount(part.cost) if part else "" for part in (before, after))
    return name, f"{rows:,}", *costs, signed(difference(new, old))


def _value_lines(changes: MonthChanges) -> Iterator[Sequence[str]]:
    for one in changes.by_value:
        yield shown(one.value), *_cells(one.change)
    if changes.other_values:
        yield f"*{counted(changes.other_values, 'other value')}*", *_cells(changes.others)


def _movers(changes: MonthChanges) -> Iterator[str]:
    if not changes.movers:
        yield "None.\n"
        return
    lines = (
        (
            one.day,
            shown(one.value),
            amount(one.change.before.cost),
            amount(one.change.after.cost),
            signed(one.change.cost_change),
        )
        for one in changes.movers
    )
    yield from table(("day", shown(changes.by), "cost before", "cost after", "difference"), lines, texts=2)


def _cells(change: Change) -> Sequence[str]:
    rows = (change.before.rows, change.after.rows)
    moved = (change.added.rows, change.removed.rows, change.changed_after.rows)
    costs = (amount(change.before.cost), amount(change.after.cost), signed(change.cost_change))
    return *(f"{count:,}" for count in rows), *costs, *(f"{count:,}" for count in moved)


def _percent(change: Decimal, before: str) -> str:
    return f", {change / Decimal(before).copy_abs():+.1%}" if change and Decimal(before) else ""
