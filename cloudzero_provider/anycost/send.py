"""Send a month: plan, check what will be replaced, send, verify, summarize."""

from __future__ import annotations

import hashlib
import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cloudzero_provider.anycost.claim import MonthWrite
from cloudzero_provider.anycost.columns import COST
from cloudzero_provider.anycost.execute_plan import execute_plan
from cloudzero_provider.anycost.guards import (
    Guards,
    check_readable,
    compare_with_held,
    read_max_rows_ratio,
    read_min_rows_ratio,
    rows_held_if_known,
)
from cloudzero_provider.anycost.plan import Limits, Operation, Plan, empty_month_body, make_plan
from cloudzero_provider.anycost.readback import hours_of, read_month, total_cost
from cloudzero_provider.claims import claimed
from cloudzero_provider.exceptions import (
    CloudZeroError,
    ConfigurationError,
    MonthNotFoundError,
    RequestRejectedError,
    VerificationError,
)
from cloudzero_provider.journal import NoJournal
from cloudzero_provider.values.counted import counted
from cloudzero_provider.values.limits import MIN_ROWS_RATIO
from cloudzero_provider.values.parameters import read_bool, read_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloudzero_provider.anycost.checks import CheckedRows
    from cloudzero_provider.anycost.execute_plan import Sent
    from cloudzero_provider.claims import Claims
    from cloudzero_provider.client import Client
    from cloudzero_provider.journal import Journal
    from cloudzero_provider.months import Month

log = logging.getLogger(__name__)

VERIFY_PAUSE = 5.0
_NOT_CLEARED_HINT = (
    "It is not published whether CloudZero empties a month for a drop without rows. Instead, you can send a single row "
    "that costs 0, with min_rows_ratio=0."
)


@dataclass(frozen=True)
class SendOptions:
    """
    How a month is sent; the operator documents each.

    :param settle_from: time (``time.monotonic``) from which a previous attempt's in-flight request must settle before
        anything is written; ``None`` on the first attempt.
    :param journal: records which requests of a ``sum`` were acknowledged.
    :param claims: the claims of the DAG run; ``None`` outside a DAG run.
    """

    operation: Operation = Operation.REPLACE_DROP
    min_rows_ratio: float = MIN_ROWS_RATIO
    max_rows_ratio: float | None = None
    check_only: bool = False
    validate_with_cloudzero: bool = False
    verify: bool = False
    limits: Limits = field(default_factory=Limits)
    settle_from: float | None = None
    journal: Journal = field(default_factory=NoJournal)
    claims: Claims | None = None

    def __post_init__(self) -> None:
        read_min_rows_ratio(self.min_rows_ratio)
        read_max_rows_ratio(self.max_rows_ratio)
        for name in ("check_only", "validate_with_cloudzero", "verify"):
            read_bool(name, getattr(self, name))
        if self.settle_from is not None:
            read_number("settle_from", self.settle_from)
        if self.verify and self.operation is Operation.SUM:
            raise ConfigurationError(
                "verify=True compares a month with what was sent, so it needs replace_drop or replace_hourly, not sum."
            )


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

    def __str__(self) -> str:
        """Month, rows and total."""
        only = ", only checked" if self.check_only else ""
        return f"{self.month}: {counted(self.rows, 'row')}, total cost {self.total_cost}{only}"

    def as_dict(self) -> dict[str, Any]:
        """The summary as plain JSON values."""
        return {**vars(self), "drop_ids": list(self.drop_ids)}


def send_month(client: Client, anycost_connection_id: str, checked: CheckedRows, options: SendOptions) -> SendSummary:
    """
    Send a month so that CloudZero holds each row exactly once.

    :param client: the client to send with.
    :param anycost_connection_id: the AnyCost stream.
    :param checked: the rows.
    :param options: how to send it.
    :raises CloudZeroError: stating what happened, and which part of the month was applied.
    """
    plan = make_plan(checked, options.operation, options.limits)
    log.info(
        "%s: %s of %s, total cost %s, in %s of %s bytes in all, for AnyCost stream %s at %s",
        plan.month,
        counted(plan.rows, "row"),
        counted(len(plan.hours), "hour"),
        plan.totals[COST],
        counted(len(plan.requests), "request"),
        f"{plan.size:,}",
        anycost_connection_id,
        client.config.base_url,
    )
    if options.check_only:
        _validate(client, plan)
        sha256 = hashlib.sha256()
        for body in plan.bodies():
            sha256.update(body)
        return _summary(plan, anycost_connection_id, None, sha256.hexdigest(), check_only=True)
    _wait_for_previous_attempt(client, options)
    replaced = compare_with_held(
        client, anycost_connection_id, plan, Guards(options.min_rows_ratio, options.max_rows_ratio)
    )
    if options.verify:
        check_readable(client, anycost_connection_id, plan.month, "verify=True")
    if options.validate_with_cloudzero:
        _validate(client, plan)
    with claimed(options.claims, lambda: MonthWrite.of_plan(client, anycost_connection_id, plan)):
        sent = execute_plan(plan, client, anycost_connection_id, options.journal)
    if options.verify:
        _verify(client, anycost_connection_id, plan)
    return _summary(plan, anycost_connection_id, replaced, sent.digest, sent=sent)


def clear_month(client: Client, anycost_connection_id: str, month: Month, options: SendOptions) -> SendSummary:
    """
    Remove all rows of a month, and read the month back to verify it.

    :raises VerificationError: when CloudZero still holds rows.
    """
    if options.operation is not Operation.REPLACE_DROP:
        raise ConfigurationError("on_empty='clear' empties a whole month, so it needs operation='replace_drop'.")
    body = empty_month_body(month)
    replaced = None
    if options.check_only:
        client.validate_drop(body)
    else:
        log.info("%s: no rows were given; the month is emptied (on_empty='clear')", month)
        _wait_for_previous_attempt(client, options)
        replaced = rows_held_if_known(client, anycost_connection_id, month)
        check_readable(client, anycost_connection_id, month, "on_empty='clear'")
        with claimed(options.claims, lambda: MonthWrite.of_nothing(client, anycost_connection_id, month)):
            _send_empty_month(client, anycost_connection_id, body)
        _read_until_equal(client, month, lambda: _rows_left(client, anycost_connection_id, month), _NOT_CLEARED_HINT)
    return SendSummary(
        month=str(month),
        anycost_connection_id=anycost_connection_id,
        operation=options.operation.value,
        rows=0,
        replaced_rows=replaced,
        requests=1,
        bytes=len(body),
        total_cost="0",
        hours=0,
        sha256=hashlib.sha256(body).hexdigest(),
        check_only=options.check_only,
    )


def _send_empty_month(client: Client, anycost_connection_id: str, body: bytes) -> None:
    try:
        client.send_drop(anycost_connection_id, body, effect=Operation.REPLACE_DROP.effect)
    except CloudZeroError as error:
        error.nothing_written = not error.maybe_applied
        if isinstance(error, RequestRejectedError):
            error.recovery = _NOT_CLEARED_HINT
        raise


def _validate(client: Client, plan: Plan) -> None:
    for body in plan.bodies():
        client.validate_drop(body)
    log.info("%s: CloudZero's validation accepts %s", plan.month, counted(len(plan.requests), "request"))


def _wait_for_previous_attempt(client: Client, options: SendOptions) -> None:
    if options.settle_from is not None:
        client.wait_until_settled(options.settle_from)


def _verify(client: Client, anycost_connection_id: str, plan: Plan) -> None:
    _read_until_equal(client, plan.month, lambda: _difference(client, anycost_connection_id, plan))
    log.info("%s: read back; rows and totals match what was sent", plan.month)


def _difference(client: Client, anycost_connection_id: str, plan: Plan) -> str | None:
    """Describe how what CloudZero holds differs from what was sent; ``None`` when it does not."""
    try:
        held = read_month(client, anycost_connection_id, plan.month)
    except MonthNotFoundError:
        return f"CloudZero holds no rows, but {plan.rows:,} were sent"
    if plan.operation is Operation.REPLACE_HOURLY:
        held = held.filter(hours_of(held).is_in(list(plan.hours)))
    if held.height != plan.rows:
        return f"CloudZero holds {counted(held.height, 'row')}, but {plan.rows:,} were sent"
    for column, total in plan.totals.items():
        found = total_cost(held, column)
        if found != total:
            return f"the sum of {column} is {found} at CloudZero, but {total} was sent"
    return None


def _rows_left(client: Client, anycost_connection_id: str, month: Month) -> str | None:
    try:
        left = read_month(client, anycost_connection_id, month).height
    except MonthNotFoundError:
        return None
    return f"CloudZero still holds {counted(left, 'row')}" if left else None


def _read_until_equal(
    client: Client, month: Month, difference: Callable[[], str | None], recovery: str | None = None
) -> None:
    """Read the month until nothing differs, since CloudZero may take a while to show what was sent."""
    deadline = time.monotonic() + client.config.max_retry_seconds
    while found := difference():
        if time.monotonic() + VERIFY_PAUSE > deadline:
            error = VerificationError(
                f"{month}: {found}, after {client.config.max_retry_seconds:g} s of reading it back. Is anything else "
                "writing to this AnyCost stream? Running the task again sends the month again."
            )
            error.recovery = recovery
            raise error
        log.warning("%s: %s; reading it again in %g s", month, found, VERIFY_PAUSE)
        time.sleep(VERIFY_PAUSE)


def _summary(
    plan: Plan,
    anycost_connection_id: str,
    replaced_rows: int | None,
    sha256: str,
    *,
    sent: Sent | None = None,
    check_only: bool = False,
) -> SendSummary:
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
    )
