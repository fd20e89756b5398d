"""Send a month: plan, check what will be replaced, send, verify, summarize."""

from __future__ import annotations

import hashlib
import logging
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from cloudzero_provider.anycost.claim import MonthWrite
from cloudzero_provider.anycost.columns import COST
from cloudzero_provider.anycost.execute_plan import execute_plan
from cloudzero_provider.anycost.guards.contents import compare_contents
from cloudzero_provider.anycost.guards.days import check_days
from cloudzero_provider.anycost.guards.earlier_attempt import EarlierClearing, EarlierSending
from cloudzero_provider.anycost.guards.months import GivenMonth
from cloudzero_provider.anycost.guards.row_count import (
    RowGuards,
    check_readable,
    compare_with_held,
    rows_held_if_known,
)
from cloudzero_provider.anycost.plan import Operation, Plan, check_empties, empty_month_body, make_plan
from cloudzero_provider.anycost.send_summary import SendSummary, summarize, summarize_cleared, summarize_unchanged
from cloudzero_provider.anycost.verification import verify_cleared, verify_month
from cloudzero_provider.claims import claimed
from cloudzero_provider.exceptions import CloudZeroError, RequestRejectedError
from cloudzero_provider.values.counted import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudzero_provider.anycost.checks import CheckedRows
    from cloudzero_provider.anycost.send_options import SendOptions
    from cloudzero_provider.client import Client
    from cloudzero_provider.months import Month

log = logging.getLogger(__name__)

_NOT_CLEARED_HINT = (
    "It is not published whether CloudZero empties a month for a drop without rows. Instead, you can send a single row "
    "that costs 0, with min_rows_ratio=0."
)


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
    _log_plan(client, anycost_connection_id, plan)
    if options.required_days:
        check_days(plan.month, plan.hours)
    if options.check_only:
        _validate(client, plan)
        return summarize(plan, anycost_connection_id, _sha256(plan), check_only=True)
    _wait_for_previous_attempt(client, options)
    identity = _identity(anycost_connection_id, plan)
    earlier = None
    if not options.is_first_attempt:
        passed = options.passed.by_earlier_attempt(identity) if options.compares_sizes else None
        earlier = EarlierSending(checked, plan, options.journal.acknowledged_before, passed)
    given = partial(GivenMonth.of_plan, anycost_connection_id, checked, plan)
    compared = compare_contents(client, given, options.contents, earlier)
    if compared and options.may_skip(compared):
        log.info("%s: CloudZero holds these rows already; nothing is sent (skip_unchanged)", plan.month)
        return summarize_unchanged(plan, anycost_connection_id, _sha256(plan), compared)
    replaced = compare_with_held(
        client,
        anycost_connection_id,
        plan,
        RowGuards(options.min_rows_ratio, options.max_rows_ratio),
        lambda: earlier is not None and earlier.reads_and_passed_guards(client, anycost_connection_id),
    )
    if options.verify:
        check_readable(client, anycost_connection_id, plan.month, "verify=True")
    if options.validate_with_cloudzero:
        _validate(client, plan)
    with (
        claimed(options.claims, lambda: MonthWrite.of_plan(client, anycost_connection_id, plan)),
        _guards_remembered(options, identity),
    ):
        sent = execute_plan(plan, client, anycost_connection_id, options.journal)
    if options.verify:
        verify_month(client, anycost_connection_id, plan)
    return summarize(plan, anycost_connection_id, sent.digest, replaced_rows=replaced, compared=compared, sent=sent)


def _identity(anycost_connection_id: str, plan: Plan) -> str:
    """What is sent, and where, in a few words."""
    what = (anycost_connection_id, plan.month, plan.operation.value, plan.rows, plan.size, sorted(plan.totals.items()))
    return hashlib.sha256(repr([str(part) for part in what]).encode()).hexdigest()


@contextmanager
def _guards_remembered(options: SendOptions, identity: str) -> Iterator[None]:
    """Remember that the guards were passed until everything is sent."""
    if not options.compares_sizes:
        yield
        return
    options.passed.record(identity)
    yield
    options.passed.forget()


def _log_plan(client: Client, anycost_connection_id: str, plan: Plan) -> None:
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


def _sha256(plan: Plan) -> str:
    sha256 = hashlib.sha256()
    for body in plan.bodies():
        sha256.update(body)
    return sha256.hexdigest()


def clear_month(client: Client, anycost_connection_id: str, month: Month, options: SendOptions) -> SendSummary:
    """
    Remove all rows of a month, and read the month back to verify it.

    :raises GuardError: when a guard refuses.
    :raises VerificationError: when CloudZero still holds rows.
    """
    check_empties(options.operation)
    if options.required_days:
        check_days(month, ())
    body = empty_month_body(month)
    summary = partial(summarize_cleared, anycost_connection_id, month, body)
    if options.check_only:
        client.validate_drop(body)
        return summary(check_only=True)
    log.info("%s: no rows were given; the month is emptied (on_empty='clear')", month)
    _wait_for_previous_attempt(client, options)
    earlier = None if options.is_first_attempt else EarlierClearing()
    given = partial(GivenMonth.of_nothing, anycost_connection_id, month)
    compared = compare_contents(client, given, options.contents, earlier)
    if compared and options.may_skip(compared):
        log.info("%s: CloudZero holds no rows; nothing is sent (skip_unchanged)", month)
        return replace(summary(replaced_rows=0, compared=compared), requests=0, bytes=0, unchanged=True)
    replaced = rows_held_if_known(client, anycost_connection_id, month)
    check_readable(client, anycost_connection_id, month, "on_empty='clear'")
    with claimed(options.claims, lambda: MonthWrite.of_nothing(client, anycost_connection_id, month)):
        _send_empty_month(client, anycost_connection_id, body)
    verify_cleared(client, anycost_connection_id, month, _NOT_CLEARED_HINT)
    return summary(replaced_rows=replaced, compared=compared)


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
