"""Report what a plan sends, what CloudZero holds, and what changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from cloudzero_provider.anycost.columns import COST, USAGE_START, is_cost
from cloudzero_provider.anycost.comparison.changes import MonthChanges, compare
from cloudzero_provider.anycost.comparison.contents import canonical, contents_sha256, sha256_by_hour
from cloudzero_provider.anycost.comparison.days import days_without_rows
from cloudzero_provider.anycost.comparison.encoding import column_or_nulls
from cloudzero_provider.anycost.comparison.markdown import headline, report_markdown
from cloudzero_provider.anycost.comparison.options import DEFAULT_BY
from cloudzero_provider.anycost.comparison.replaced_rows import replaced_and_kept
from cloudzero_provider.anycost.plan import Operation
from cloudzero_provider.anycost.readback import total_cost
from cloudzero_provider.exceptions import UnexpectedReplyError
from cloudzero_provider.values.decimal_strings import sum_of

if TYPE_CHECKING:
    from datetime import datetime

    from cloudzero_provider.anycost.plan import Limits, Plan


@dataclass(frozen=True)
class RowsAndTotals:
    """
    Some rows.

    :param rows: how many.
    :param totals: cost column → exact sum, as a decimal string.
    """

    rows: int
    totals: dict[str, str]

    @classmethod
    def of(cls, frame: pl.DataFrame) -> RowsAndTotals:
        """
        Count rows, and sum their costs.

        :raises UnexpectedReplyError: when a cost is not a decimal number.
        """
        return cls(frame.height, {name: total_cost(frame, name) for name in filter(is_cost, frame.columns)})

    def __add__(self, other: RowsAndTotals) -> RowsAndTotals:
        """Both together."""
        names = dict.fromkeys([*self.totals, *other.totals])
        totals = {name: sum_of(self.totals.get(name, "0"), other.totals.get(name, "0")) for name in names}
        return RowsAndTotals(self.rows + other.rows, totals)

    @property
    def cost(self) -> str:
        """The sum of ``cost/cost``, as a decimal string."""
        return self.totals.get(COST, "0")


@dataclass(frozen=True)
class PlanReport:
    """
    What a plan sends, what CloudZero holds, and what changes.

    :param month: like ``2026-03``.
    :param anycost_connection_id: the AnyCost stream.
    :param operation: ``replace_drop``, ``replace_hourly`` or ``sum``.
    :param sent: the rows that the plan sends.
    :param requests: number of requests.
    :param bytes: size of all bodies.
    :param largest_request_bytes: size of the largest.
    :param limits: of bodies and months.
    :param held: the rows that CloudZero holds for the month; ``None`` when nothing is held, or it can't be read.
    :param kept: those of them that the operation does not replace; ``None`` like ``held``.
    :param held_problem: why the held month can't be read or compared.
    :param changes: what changes in the rows that the operation replaces; ``None`` when they can't be compared.
    :param by: the column that changes are listed by, besides the day.
    :param days_without_rows: days of the month, up to yesterday, that will have no rows. Without the held month, only
        the rows that are sent count.
    :param rows_sha256: hash of the contents of the rows that are sent.
    :param held_by_hour: the same for each hour that is sent, of a ``replace_hourly``; ``None`` for other operations.
    :param held_sha256: hash of the contents that the operation replaces, which may be no rows; ``None`` when they can't
        be read.
    """

    month: str
    anycost_connection_id: str
    operation: str
    sent: RowsAndTotals
    requests: int
    bytes: int
    largest_request_bytes: int
    limits: Limits
    held: RowsAndTotals | None
    kept: RowsAndTotals | None
    held_problem: str | None
    changes: MonthChanges | None
    by: str
    days_without_rows: tuple[str, ...]
    rows_sha256: str
    held_sha256: str | None
    held_by_hour: dict[str, str] | None

    @property
    def becomes(self) -> RowsAndTotals | None:
        """What CloudZero holds afterwards; ``None`` when that is not known."""
        if self.changes is None:
            return self.sent if self.operation == Operation.REPLACE_DROP.value else None
        return self.sent + self.kept if self.kept else self.sent

    @property
    def is_unchanged(self) -> bool:
        """Whether CloudZero holds exactly these rows already."""
        return self.changes is not None and self.changes.total.is_empty

    @property
    def markdown(self) -> str:
        """The report in Markdown."""
        return report_markdown(self)

    def __str__(self) -> str:
        """What changes, in a sentence."""
        return headline(self)

    def as_dict(self) -> dict[str, Any]:
        """The report as plain JSON values: at most 20 values of ``by``, with the others summed."""
        becomes = self.becomes
        return {
            "month": self.month,
            "anycost_connection_id": self.anycost_connection_id,
            "operation": self.operation,
            "rows": self.sent.rows,
            "total_cost": self.sent.cost,
            "totals": self.sent.totals,
            "requests": self.requests,
            "bytes": self.bytes,
            "largest_request_bytes": self.largest_request_bytes,
            "limits": dict(vars(self.limits)),
            "held": _as_dict(self.held),
            "kept": _as_dict(self.kept),
            "becomes": _as_dict(becomes),
            "held_problem": self.held_problem,
            "unchanged": self.is_unchanged,
            "by": self.by,
            "changes": self.changes.as_dict() if self.changes else None,
            "days_without_rows": list(self.days_without_rows),
            "rows_sha256": self.rows_sha256,
            "held_sha256": self.held_sha256,
            "held_by_hour": self.held_by_hour,
            "markdown": self.markdown,
        }


def plan_report(
    plan: Plan,
    anycost_connection_id: str,
    limits: Limits,
    given: pl.DataFrame,
    held: pl.DataFrame | None,
    *,
    by: str = DEFAULT_BY,
    held_problem: str | None = None,
    now: datetime | None = None,
) -> PlanReport:
    """
    Report what a plan changes.

    :param plan: the plan.
    :param anycost_connection_id: the AnyCost stream.
    :param limits: those that the plan was made with.
    :param given: the rows of the plan, as checked.
    :param held: what CloudZero holds for the month, as read back; ``None`` when nothing is held, or with
        ``held_problem``.
    :param by: the column that changes are listed by, besides the day.
    :param held_problem: a sentence that says why the held month can't be read.
    :param now: the time, which decides which days of the current month are over.
    """
    given = canonical(given)
    comparison = None
    if held_problem is None:
        try:
            comparison = _compare(plan, given, canonical(held) if held is not None else pl.DataFrame(), by)
        except UnexpectedReplyError as error:
            held_problem = str(error)
    is_held = comparison is not None and comparison.held.rows > 0
    hours = [*plan.hours, *(comparison.kept_hours if comparison else ())]
    sizes = [request.size for request in plan.requests]
    return PlanReport(
        month=str(plan.month),
        anycost_connection_id=anycost_connection_id,
        operation=plan.operation.value,
        sent=RowsAndTotals(plan.rows, plan.totals),
        requests=len(sizes),
        bytes=sum(sizes),
        largest_request_bytes=max(sizes),
        limits=limits,
        held=comparison.held if comparison and is_held else None,
        kept=comparison.kept if comparison and is_held else None,
        held_problem=held_problem,
        changes=comparison.changes if comparison else None,
        by=by,
        days_without_rows=tuple(days_without_rows(plan.month, hours, now)),
        rows_sha256=contents_sha256(given),
        held_sha256=comparison.held_sha256 if comparison else None,
        held_by_hour=comparison.held_by_hour if comparison else None,
    )


@dataclass(frozen=True)
class _Comparison:
    held: RowsAndTotals
    kept: RowsAndTotals
    kept_hours: list[str]
    changes: MonthChanges
    held_sha256: str
    held_by_hour: dict[str, str] | None


def _compare(plan: Plan, given: pl.DataFrame, held: pl.DataFrame, by: str) -> _Comparison:
    replaced, kept = replaced_and_kept(held, plan.operation, plan.hours)
    return _Comparison(
        held=RowsAndTotals.of(held),
        kept=RowsAndTotals.of(kept),
        kept_hours=column_or_nulls(kept, USAGE_START).drop_nulls().unique().to_list(),
        # What is kept is in both versions, so that their figures are those of the whole month.
        changes=compare(held, canonical(pl.concat([given, kept], how="diagonal")), by),
        held_sha256=contents_sha256(replaced),
        held_by_hour=sha256_by_hour(replaced) if plan.operation is Operation.REPLACE_HOURLY else None,
    )


def _as_dict(part: RowsAndTotals | None) -> dict[str, Any] | None:
    return {"rows": part.rows, "totals": part.totals} if part else None
