"""The guard on days: which days of a month must have rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudzero_provider.anycost.comparison.days import days_without_rows
from cloudzero_provider.exceptions import MissingDaysError
from cloudzero_provider.values.counted import counted
from cloudzero_provider.values.parameters import Choice

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudzero_provider.months import Month

_SHOWN_DAYS = 5


class RequiredDays(Choice):
    """Which days of a month must have rows."""

    ALL = "all"


def read_required_days(value: str | None) -> RequiredDays | None:
    """
    Read the parameter ``required_days``.

    :param value: ``all``; ``None`` turns the guard off.
    :raises ConfigurationError: for anything else.
    """
    return None if value is None else RequiredDays.parse(value, "required_days")


def check_days(month: Month, hours: Iterable[str]) -> None:
    """
    Refuse a month in which a day that is over has no rows.

    :param month: the month.
    :param hours: the hours that have rows.
    :raises MissingDaysError: naming the days.
    """
    missing = days_without_rows(month, hours)
    if not missing:
        return
    shown = ", ".join(missing[:_SHOWN_DAYS])
    more = len(missing) - _SHOWN_DAYS
    raise MissingDaysError(
        f"{month}: {counted(len(missing), 'day')} without rows: {shown}{f' and {more} more' if more > 0 else ''} "
        "(required_days='all'); nothing was sent. Is a file of the month missing, or was the export made before the "
        "month was complete? If those days really have no costs, leave required_days out."
    )
