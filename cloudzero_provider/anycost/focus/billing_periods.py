"""Find the month in which a charge is billed, from its billing period in any time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import polars as pl

from cloudzero_provider.months import Month
from cloudzero_provider.values.distinct_values import looked_up

if TYPE_CHECKING:
    from cloudzero_provider.values.problems import Problems

#: Time zones move the start of a month by up to 14 hours.
_ONE_DAY = timedelta(days=1)
_LONGEST_PERIOD = timedelta(days=32)
_END_NEEDED = (
    "more than a day from the start of a month (UTC), so without a BillingPeriodEnd the month is ambiguous: set it to "
    "the start of the month in a transform before to_cbf"
)
_UTC_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class BillingMonth:
    """
    The month of a billing period. All values are strings, times are in UTC.

    :param month: like ``2025-11``.
    :param first: the hour for charges from before the month.
    :param last: the last hour of the month.
    :param end: the end of the billing period.
    """

    month: str
    first: str
    last: str
    end: str


def billing_months(starts: pl.Series, ends: pl.Series, problems: Problems | None) -> pl.DataFrame:
    """
    Find the month in which each charge is billed.

    :param starts: starts of the billing periods, in UTC.
    :param ends: ends of the billing periods, in UTC; null where missing.
    :param problems: receives the periods that do not belong to a single month.
    :return: the fields of :class:`BillingMonth`; null where the start is missing or the month is ambiguous.
    """
    keys = pl.select(pl.concat_str(starts, ends.fill_null(""), separator="/")).to_series()
    given = keys.drop_nulls().unique().to_list()
    known = {key: billed for key in given if (billed := _billing_month(*key.split("/"))) is not None}
    if problems is not None:
        for key in sorted(set(given) - set(known)):
            problems.add_all((keys == key).fill_null(value=False), "BillingPeriodStart", _broken_rule(key), starts)
    return pl.DataFrame(
        {
            name: looked_up(keys, list(known), [getattr(billed, name) for billed in known.values()])
            for name in ("month", "first", "last", "end")
        }
    )


def _broken_rule(key: str) -> str:
    _, end = key.split("/")
    if not end:
        return _END_NEEDED
    return (
        f"with the BillingPeriodEnd {end}, not the billing period of one month: it can be at most 32 days long, with "
        "at least three quarters in one month (UTC); set both to the month in a transform before to_cbf"
    )


def _billing_month(start_text: str, end_text: str) -> BillingMonth | None:
    start, end = _parse_utc(start_text), _parse_utc(end_text) if end_text else None
    try:
        month = _month(start, end)
        if month is None:
            return None
        return BillingMonth(
            month=str(month),
            first=_format_utc(max(start, month.start)),
            last=_format_utc(month.end - timedelta(hours=1)),
            end=_format_utc(end or month.end + (start - month.start)),
        )
    except (ValueError, OverflowError):  # Outside the years of Python's calendar.
        return None


def _month(start: datetime, end: datetime | None) -> Month | None:
    if end is None:
        near = Month.parse(start + _ONE_DAY)
        return near if start <= near.start + _ONE_DAY else None
    length = end - start
    if not timedelta(0) < length <= _LONGEST_PERIOD:
        return None
    first = Month.parse(start)
    shares = {month: min(end, month.end) - max(start, month.start) for month in (first, first.next)}
    return next((month for month, share in shares.items() if share >= 0.75 * length), None)


def _parse_utc(text: str) -> datetime:
    return datetime.strptime(text, _UTC_FORMAT).replace(tzinfo=timezone.utc)


def _format_utc(moment: datetime) -> str:
    return moment.strftime(_UTC_FORMAT).rjust(len("2025-11-01T00:00:00Z"), "0")
