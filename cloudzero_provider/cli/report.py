"""The report of a check, for a person."""

from __future__ import annotations

import logging
from calendar import monthrange
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cloudzero_provider.anycost.columns import COST
from cloudzero_provider.cli.problem_list import by_rule
from cloudzero_provider.values.limits import LARGEST_BODY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import RenderableType

    from cloudzero_provider.cli.bill import CheckedBill
    from cloudzero_provider.cli.problem_list import BrokenRule
    from cloudzero_provider.months import Month

_BAR = 30
_FULL, _PARTS = "█", " ▏▎▍▌▋▊▉"
_MOST_RULES = 10
_BODY_LIMIT = f"CloudZero accepts {LARGEST_BODY / 1e6:g} MB a request, which it does not publish to the byte."


def report(bill: CheckedBill, notes: Sequence[logging.LogRecord], listed_in: str | None) -> RenderableType:
    """
    Describe what a check found.

    :param bill: what was found.
    :param notes: what was logged meanwhile.
    :param listed_in: the file that lists every problem, if one was written.
    """
    parts: list[RenderableType] = [_headline(bill), ""]
    if bill.problems:
        parts += _problems(by_rule(bill.problems), listed_in)
    elif bill.error is not None:
        parts += [Padding(Text(str(bill.error)), (0, 2), expand=False), ""]
    if bill.checked is not None:
        parts += [_limits(bill), Text(f"  {_BODY_LIMIT}", "dim"), ""]
        parts += [_totals(bill.totals), "", _days(bill.cost_by_day(), bill.options.month), ""]
    return Group(*parts, _notes(notes))


def _headline(bill: CheckedBill) -> Text:
    month, files = bill.options.month, bill.options.files
    what = files[0] if len(files) == 1 else f"{len(files):,} files"
    if bill.error is None:
        verdict = "1 request" if len(bill.requests) == 1 else f"{len(bill.requests):,} requests"
        return Text.assemble(("✓ ", "bold green"), (f"{month} can be sent", "bold"), f": {what}, in {verdict}")
    total = len(bill.problems)
    verdict = "" if not total else ", 1 problem" if total == 1 else f", {total:,} problems"
    return Text.assemble(("✗ ", "bold red"), (f"{month} can't be sent", "bold"), f": {what}{verdict}")


def _problems(rules: list[BrokenRule], listed_in: str | None) -> Iterator[RenderableType]:
    for rule in rules[:_MOST_RULES]:
        count = "1 time" if rule.count == 1 else f"{rule.count:,} times"
        yield Text.assemble(("  " + (rule.column or "row"), "bold yellow"), f"  {count}")
        yield Padding(Text(rule.rule), (0, 2, 0, 4), expand=False)
        for problem in rule.examples:
            value = "" if problem.value is None else f"  {problem.value}"
            yield Padding(Text.assemble((problem.where, "cyan"), value), (0, 2, 0, 6), expand=False)
        if more := rule.count - len(rule.examples):
            yield Text(f"      and {more:,} more", "dim")
        yield ""
    if (more := len(rules) - _MOST_RULES) > 0:
        yield Text(f"  and {more:,} more rules", "dim")
    yield Text(f"  {listed_in} lists every problem." if listed_in else "  --problems FILE.csv lists every problem.")
    yield ""


def _limits(bill: CheckedBill) -> Table:
    limits = bill.options.limits
    table = _table("", "this month", "limit", "used")
    rows = [("Rows", bill.rows, limits.max_month_rows)]
    if bill.plan is not None:
        largest = max(request.size for request in bill.requests)
        rows += [("Bytes", bill.plan.size, limits.max_month_bytes)]
        rows += [("Bytes of the largest request", largest, limits.max_body_bytes)]
    for name, value, limit in rows:
        used = Decimal(value or 0) / limit
        table.add_row(name, f"{value:,}", f"{limit:,}", Text(f"{used:.1%}", "green" if used <= 1 else "bold red"))
    if bill.plan is not None:
        table.add_row("Requests", f"{len(bill.requests):,}", "", "")
    table.add_row("Hours", f"{bill.hours:,}", "", "")
    return table


def _totals(totals: dict[str, str]) -> Table:
    shown = _aligned([Decimal(total) for total in totals.values()])
    table = _table("Column")
    _add_amounts(table, "total", shown)
    for name, total in zip(totals, shown, strict=True):
        table.add_row(name, total)
    return table


def _days(costs: dict[str, str], month: Month) -> Table:
    """One line for each day of the month, since a missing day is worth seeing."""
    days = [date(month.year, month.number, day) for day in range(1, monthrange(month.year, month.number)[1] + 1)]
    amounts = [Decimal(costs[str(day)]) if str(day) in costs else None for day in days]
    most = max((abs(amount) for amount in amounts if amount is not None), default=Decimal(0))
    shown = _aligned(amounts)
    table = _table("Day")
    _add_amounts(table, COST, shown)
    table.add_column("", no_wrap=True)
    for day, amount, text in zip(days, amounts, shown, strict=True):
        bar = Text(_bar(amount, most), "red" if amount is not None and amount < 0 else "blue")
        table.add_row(f"{day:%d %a}", text if amount is not None else Text("no rows".rjust(len(text)), "dim"), bar)
    return table


def _bar(amount: Decimal | None, most: Decimal) -> str:
    if not amount or not most:
        return ""
    eighths = max(1, round(abs(amount) / most * _BAR * 8))
    return _FULL * (eighths // 8) + _PARTS[eighths % 8].strip()


def _aligned(amounts: Iterable[Decimal | None]) -> list[str]:
    """Write exact amounts with their decimal points below each other; they all have the same length."""
    texts = ["" if amount is None else f"{amount:,f}" for amount in amounts]
    points = [text.find(".") if "." in text else len(text) for text in texts]
    shifted = [" " * (max(points) - point) + text for text, point in zip(texts, points, strict=True)]
    width = max(map(len, shifted))
    return [text.ljust(width).rjust(len(COST)) for text in shifted]


def _table(first: str, *numbers: str) -> Table:
    table = Table(box=None, padding=(0, 2), header_style="dim")
    table.add_column(first)
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _add_amounts(table: Table, name: str, amounts: Sequence[str]) -> None:
    # Not right-aligned by Rich, which takes away the spaces that follow a short fraction.
    table.add_column(name.rjust(len(amounts[0])), no_wrap=True)


def _notes(notes: Sequence[logging.LogRecord]) -> Table:
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(width=3, justify="right")
    table.add_column()
    for note in notes:
        sign = Text("!", "bold yellow") if note.levelno >= logging.WARNING else Text("·", "dim")
        table.add_row(sign, Text(note.getMessage()))
    return table
