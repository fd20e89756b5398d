"""Days of a month that have no rows."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudzero_provider.months import Month


def days_without_rows(month: Month, hours: Iterable[str], now: datetime | None = None) -> list[str]:
    """
    Return the days, in UTC, that have no rows although they are over.

    :param month: the month.
    :param hours: the hours that have rows, like ``2026-03-16T13:00:00Z``.
    :param now: the current time in UTC; only tests set it.
    :return: like ``2026-03-16``, in order.
    """
    covered = {hour[:10] for hour in hours}
    return [str(day) for day in _days_that_are_over(month, now) if str(day) not in covered]


def _days_that_are_over(month: Month, now: datetime | None) -> list[date]:
    today = (now or datetime.now(timezone.utc)).date()
    days = (date(month.year, month.number, day + 1) for day in range(monthrange(month.year, month.number)[1]))
    return [day for day in days if day < today]
