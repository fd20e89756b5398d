"""Read a month back until CloudZero holds what was sent."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from cloudzero_provider.anycost.plan import Operation, Plan
from cloudzero_provider.anycost.readback import hours_of, read_month, total_cost
from cloudzero_provider.exceptions import MonthNotFoundError, VerificationError
from cloudzero_provider.values.counted import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloudzero_provider.client import Client
    from cloudzero_provider.months import Month

log = logging.getLogger(__name__)

VERIFY_PAUSE = 5.0


def verify_month(client: Client, anycost_connection_id: str, plan: Plan) -> None:
    """
    Read a month back until its rows and the exact total of every cost column are as sent.

    :param client: the client to read with.
    :param anycost_connection_id: the AnyCost stream.
    :param plan: what was sent.
    :raises VerificationError: when they are not before the deadline.
    """
    _read_until_equal(client, plan.month, lambda: _difference(client, anycost_connection_id, plan))
    log.info("%s: read back; rows and totals match what was sent", plan.month)


def verify_cleared(client: Client, anycost_connection_id: str, month: Month, hint: str) -> None:
    """
    Read a month back until it has no rows.

    :param client: the client to read with.
    :param anycost_connection_id: the AnyCost stream.
    :param month: the month.
    :param hint: what to do when rows are left.
    :raises VerificationError: when rows are left at the deadline.
    """
    _read_until_equal(client, month, lambda: _rows_left(client, anycost_connection_id, month), hint)


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
