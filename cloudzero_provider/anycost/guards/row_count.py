"""The guards on numbers of rows: how much a month may shrink and grow."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timezone
from fractions import Fraction
from typing import TYPE_CHECKING

from cloudzero_provider.anycost.plan import Operation
from cloudzero_provider.exceptions import (
    AuthenticationError,
    CloudZeroError,
    MonthWouldGrowError,
    MonthWouldShrinkError,
    NotFoundError,
    UnexpectedReplyError,
)
from cloudzero_provider.months import Month
from cloudzero_provider.values.counted import counted
from cloudzero_provider.values.limits import UNUSUAL_GROWTH
from cloudzero_provider.values.parameters import read_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloudzero_provider.anycost.plan import Plan
    from cloudzero_provider.client import Client

log = logging.getLogger(__name__)

_DUPLICATES_HINT = "Were rows given twice, for example from two exports of the month?"


def read_min_rows_ratio(value: object, *, templated: bool = False) -> float:
    """
    Read the parameter ``min_rows_ratio``.

    :param value: the given value.
    :param templated: whether a template may have rendered it.
    :raises ConfigurationError: when it is not a number from 0 to 1.
    """
    return read_number("min_rows_ratio", value, least=0, most=1, meaning="0 (off) to 1", templated=templated)


def read_max_rows_ratio(value: object, *, templated: bool = False) -> float | None:
    """
    Read the parameter ``max_rows_ratio``.

    :param value: the given value; ``None`` for a warning instead of an error.
    :param templated: whether a template may have rendered it.
    :raises ConfigurationError: when it is not a number of at least 1.
    """
    if value is None:
        return None
    return read_number("max_rows_ratio", value, least=1, templated=templated)


@dataclass(frozen=True)
class RowGuards:
    """
    How much a month may shrink and grow.

    :param min_rows_ratio: refuse a ``replace_drop`` with fewer rows than this fraction of those that CloudZero holds; 0
        turns it off.
    :param max_rows_ratio: refuse a month that becomes more than this many times as large. ``None``: only a warning, for
        a past month that becomes more than twice as large.
    """

    min_rows_ratio: float
    max_rows_ratio: float | None = None

    def needed_for(self, operation: Operation) -> list[str]:
        """Return the settings that turn off the guards of an operation."""
        shrinks = operation is Operation.REPLACE_DROP and self.min_rows_ratio > 0
        return ["min_rows_ratio=0"] * shrinks + ["max_rows_ratio=None"] * (self.max_rows_ratio is not None)


def compare_with_held(
    client: Client,
    anycost_connection_id: str,
    plan: Plan,
    guards: RowGuards,
    has_begun: Callable[[], bool],
) -> int | None:
    """
    Compare what a plan sends with what CloudZero holds.

    :param client: the client to read with.
    :param anycost_connection_id: the AnyCost stream.
    :param plan: the plan to send.
    :param guards: how much the month may shrink and grow.
    :param has_begun: returns whether an earlier attempt of the task has begun to replace the month, which then holds
        only the rows it has sent. Guards were passed before.
    :return: number of rows that CloudZero holds for the month; ``None`` when it does not say and no guard needs it.
    :raises MonthWouldShrinkError, MonthWouldGrowError: when a guard refuses.
    :raises CloudZeroError: when a guard needs the number of rows and CloudZero does not say it.
    """
    needed = guards.needed_for(plan.operation)
    held = _held_for_guards(client, anycost_connection_id, plan.month, needed) if needed else None
    if not needed:
        held = rows_held_if_known(client, anycost_connection_id, plan.month)
    if held:
        _check_shrinking(plan, held, guards)
        _check_growth(plan, held, guards, has_begun)
        _warn_of_a_single_day(plan)
    if plan.operation is Operation.REPLACE_DROP:
        known = "an unknown number of rows" if held is None else counted(held, "row")
        log.info("%s: replaces %s with %s", plan.month, known, f"{plan.rows:,}")
    return held


def rows_held_if_known(client: Client, anycost_connection_id: str, month: Month) -> int | None:
    """
    Return the number of rows that CloudZero lists for a month; ``None``, with a warning, when it does not say.

    :param client: the client to read with.
    :param anycost_connection_id: the AnyCost stream.
    :param month: the month.
    """
    try:
        return _rows_held(client, anycost_connection_id, month)
    except (AuthenticationError, NotFoundError, UnexpectedReplyError) as error:
        log.warning("Can't read how many rows CloudZero holds for %s, so nothing is compared: %s", month, error)
        return None


def _held_for_guards(client: Client, anycost_connection_id: str, month: Month, needed: list[str]) -> int:
    try:
        return _rows_held(client, anycost_connection_id, month)
    except (AuthenticationError, NotFoundError, UnexpectedReplyError) as error:
        names = " and ".join(setting.partition("=")[0] for setting in needed)
        error.recovery = f"So {names} can't be checked; nothing was sent. {' and '.join(needed)} sends anyway."
        raise


def _rows_held(client: Client, anycost_connection_id: str, month: Month) -> int:
    counts = [drop.row_count for drop in client.list_drops(anycost_connection_id) if drop.month == str(month)]
    known = [count for count in counts if count is not None]
    if len(known) < len(counts):
        raise UnexpectedReplyError(f"CloudZero lists {month} without a number of rows.")
    return sum(known)


def exact_ratio(ratio: float) -> Fraction:
    """
    Read a ratio as the decimal number it was written as: as floats, 0.07 * 100 is more than 7.

    :param ratio: as it was given.
    """
    return Fraction(str(ratio))


def check_growth(
    month: Month,
    held: int,
    becomes: int,
    ratio: float | None,
    growth: str,
    consequence: str,
    has_begun: Callable[[], bool] = lambda: False,
) -> None:
    """
    Refuse a month that grows by too much, or warn.

    :param month: the month.
    :param held: number of rows that it has; not 0.
    :param becomes: number of rows that it gets, at least.
    :param ratio: refuse more than this many times as many. ``None``: only warn, if a past month more than doubles.
    :param growth: for the message, like ``from 2 rows that CloudZero holds to 6``.
    :param consequence: for the error, like ``nothing was sent``.
    :param has_begun: as for :func:`compare_with_held`.
    :raises MonthWouldGrowError: with both figures.
    """
    grows = f"{month} grows {growth}, more than"
    if ratio is not None and becomes > exact_ratio(ratio) * held and not has_begun():
        raise MonthWouldGrowError(
            f"{grows} {ratio:g} times as many (max_rows_ratio); {consequence}. {_DUPLICATES_HINT} "
            "If the month really grew, set a larger max_rows_ratio."
        )
    if ratio is None and becomes > UNUSUAL_GROWTH * held and month < Month.parse(datetime.now(timezone.utc)):
        log.warning(
            "%s twice as many, and that month is over. %s max_rows_ratio makes this an error", grows, _DUPLICATES_HINT
        )


def _check_shrinking(plan: Plan, held: int, guards: RowGuards) -> None:
    if plan.operation is not Operation.REPLACE_DROP or plan.rows >= exact_ratio(guards.min_rows_ratio) * held:
        return
    raise MonthWouldShrinkError(
        f"{plan.month}: {counted(plan.rows, 'row')} would replace the {held:,} that CloudZero holds, less than "
        f"{guards.min_rows_ratio:.0%} of them (min_rows_ratio); nothing was sent. replace_drop replaces the whole "
        "month: send all rows of the month, or use operation='replace_hourly' for a part of it, or set "
        "min_rows_ratio=0 if the month really shrank."
    )


def _check_growth(plan: Plan, held: int, guards: RowGuards, has_begun: Callable[[], bool]) -> None:
    """Compare what the month becomes, which is at least what is sent: hours that are not replaced stay."""
    becomes = plan.rows + (held if plan.operation is Operation.SUM else 0)
    at_least = "at least " if plan.operation is Operation.REPLACE_HOURLY else ""
    growth = f"from {counted(held, 'row')} that CloudZero holds to {at_least}{becomes:,}"
    check_growth(plan.month, held, becomes, guards.max_rows_ratio, growth, "nothing was sent", has_begun)


def _warn_of_a_single_day(plan: Plan) -> None:
    """Warn when all rows are of one day: the row count alone can't show that other days are lost."""
    day = plan.hours[0][:10]
    if plan.operation is Operation.REPLACE_DROP and not day.endswith("-01") and plan.hours[-1][:10] == day:
        log.warning(
            "%s: all rows are of %s, and replace_drop replaces the whole month. Rows of other days, if CloudZero holds "
            "any, are lost: send the month to date, or use operation='replace_hourly'",
            plan.month,
            day,
        )


def check_readable(client: Client, anycost_connection_id: str, month: Month, needed_by: str) -> None:
    """
    Check that a month can be read back, before it is replaced.

    :param client: the client to read with.
    :param anycost_connection_id: the AnyCost stream.
    :param month: the month, which CloudZero need not hold yet.
    :param needed_by: the parameter that needs it.
    :raises CloudZeroError: when it can't be read, for example because the key lacks the scope.
    """
    try:
        client.has_month(anycost_connection_id, str(month))
    except CloudZeroError as error:
        error.recovery = f"So what is sent can't be read back ({needed_by}); nothing was sent."
        raise
