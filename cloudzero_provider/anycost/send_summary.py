"""Summary of a month that was sent: what the task returns."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cloudzero_provider.anycost.columns import COST
from cloudzero_provider.anycost.plan import Operation
from cloudzero_provider.values.counted import counted

if TYPE_CHECKING:
    from cloudzero_provider.anycost.execute_plan import Sent
    from cloudzero_provider.anycost.guards.contents import Compared
    from cloudzero_provider.anycost.plan import Plan
    from cloudzero_provider.months import Month


@dataclass(frozen=True)
class SendSummary:
    """
    Summary of what was sent.

    :param month: like ``2026-03``.
    :param anycost_connection_id: the AnyCost stream.
    :param operation: ``replace_drop``, ``replace_hourly`` or ``sum``.
    :param rows: number of rows sent.
    :param replaced_rows: number of rows that CloudZero held before; ``None`` when it was not asked or did not say.
    :param requests: number of requests.
    :param bytes: size of all bodies.
    :param total_cost: exact sum of ``cost/cost``, as a decimal string.
    :param hours: number of hours that the rows cover.
    :param sha256: hash of all bodies, in order.
    :param drop_ids: ids of the drops in CloudZero's replies.
    :param row_count: CloudZero's count after the last request. It is not published whether this counts the month or
        only that request.
    :param check_only: whether the rows were only checked, and nothing was sent.
    :param replaced_cost: exact sum of ``cost/cost`` of the rows that were replaced; ``None`` unless what CloudZero held
        was read.
    :param unchanged: whether CloudZero held the same rows before, so that nothing was sent.
    """

    month: str
    anycost_connection_id: str
    operation: str
    rows: int
    replaced_rows: int | None
    requests: int
    bytes: int
    total_cost: str
    hours: int
    sha256: str
    drop_ids: tuple[str, ...] = ()
    row_count: int | None = None
    check_only: bool = False
    replaced_cost: str | None = None
    unchanged: bool = False

    def __str__(self) -> str:
        """Month, rows and total."""
        sent = ", only checked" if self.check_only else ", unchanged" if self.unchanged else ""
        return f"{self.month}: {counted(self.rows, 'row')}, total cost {self.total_cost}{sent}"

    def as_dict(self) -> dict[str, Any]:
        """The summary as plain JSON values."""
        return {**vars(self), "drop_ids": list(self.drop_ids)}


def summarize(
    plan: Plan,
    anycost_connection_id: str,
    sha256: str,
    *,
    replaced_rows: int | None = None,
    compared: Compared | None = None,
    sent: Sent | None = None,
    check_only: bool = False,
) -> SendSummary:
    """
    Summarize a plan.

    :param plan: the plan.
    :param anycost_connection_id: the AnyCost stream.
    :param sha256: hash of all bodies, in order.
    :param replaced_rows: number of rows that CloudZero held before, if it is known.
    :param compared: what the comparison with what CloudZero held found, if there was one.
    :param sent: the replies; ``None`` when nothing was sent.
    :param check_only: whether the rows were only checked.
    """
    return SendSummary(
        month=str(plan.month),
        anycost_connection_id=anycost_connection_id,
        operation=plan.operation.value,
        rows=plan.rows,
        replaced_rows=replaced_rows,
        requests=len(plan.requests),
        bytes=plan.size,
        total_cost=plan.totals[COST],
        hours=len(plan.hours),
        sha256=sha256,
        drop_ids=tuple(sent.drop_ids) if sent else (),
        row_count=sent.receipts[-1].row_count if sent else None,
        check_only=check_only,
        replaced_cost=compared.replaced.cost if compared else None,
    )


def summarize_unchanged(plan: Plan, anycost_connection_id: str, sha256: str, compared: Compared) -> SendSummary:
    """
    Summarize a plan that was not sent, since CloudZero holds its rows already.

    :param plan: the plan.
    :param anycost_connection_id: the AnyCost stream.
    :param sha256: hash of all bodies, in order.
    :param compared: what the comparison found.
    """
    summary = summarize(plan, anycost_connection_id, sha256, replaced_rows=compared.held.rows, compared=compared)
    return replace(summary, requests=0, bytes=0, unchanged=True)


def summarize_cleared(
    anycost_connection_id: str,
    month: Month,
    body: bytes,
    *,
    replaced_rows: int | None = None,
    compared: Compared | None = None,
    check_only: bool = False,
) -> SendSummary:
    """
    Summarize a month that was emptied.

    :param anycost_connection_id: the AnyCost stream.
    :param month: the month.
    :param body: the request that empties it.
    :param replaced_rows: number of rows that CloudZero held before, if it is known.
    :param compared: what the comparison with what CloudZero held found, if there was one.
    :param check_only: whether it was only checked.
    """
    return SendSummary(
        month=str(month),
        anycost_connection_id=anycost_connection_id,
        operation=Operation.REPLACE_DROP.value,
        rows=0,
        replaced_rows=replaced_rows,
        requests=1,
        bytes=len(body),
        total_cost="0",
        hours=0,
        sha256=hashlib.sha256(body).hexdigest(),
        check_only=check_only,
        replaced_cost=compared.replaced.cost if compared else None,
    )
