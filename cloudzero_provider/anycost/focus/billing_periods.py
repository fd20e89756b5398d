"""The month that a charge is billed in, from its billing period in whatever zone that is cut."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import polars as pl

from cloudzero_provider.months import Month

if TYPE_CHECKING:
    from cloudzero_provider.values.problems import Problems

#: The zones of the world move the start of a month by up to 14 hours.
_NEAR = timedelta(days=1)
_LONGEST = timedelta(days=32)
_NO_END = (
    "not within a day of the start of a month (UTC), so without a BillingPeriodEnd it does not say which month is "
    "billed: set it to the start of that month, in a transform before to_cbf"
)
_FORM = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class BilledIn:
    """
    Where the charges of a billing period belong; all texts, times in UTC.

    :param month: like ``2025-11``.
    :param first: hour for charges from before the period.
    :param last: the last hour of the month.
    :param end: of the period.
    """

    month: str
    first: str
    last: str
    end: str


def billed_in(starts: pl.Series, ends: pl.Series, problems: Problems | None) -> pl.DataFrame:
    """
    Find the month that each charge is billed in.

    :param starts: of the billing periods, in UTC.
    :param ends: of the billing periods, null where they have none.
    :param problems: periods that belong to no single month are noted there.
    :return: the fields of :class:`BilledIn`; null where there is no start, or the month is in doubt.
    """
    keys = pl.select(pl.concat_str(starts, ends.fill_null(""), separator="/")).to_series()
    given = keys.drop_nulls().unique().to_list()
    known = {key: billed for key in given if (billed := _billed_in(*key.split("/"))) is not None}
    if problems is not None:
        for key in sorted(set(given) - set(known)):
            problems.add_all((keys == key).fill_null(value=False), "BillingPeriodStart", _rule(key), starts)
    return pl.DataFrame(
        {
            name: keys.replace_strict(
                {key: getattr(billed, name) for key, billed in known.items()}, default=None, return_dtype=pl.String
            )
            for name in ("month", "first", "last", "end")
        }
    )


def _rule(key: str) -> str:
    _, end = key.split("/")
    if not end:
        return _NO_END
    return (
        f"with the BillingPeriodEnd {end}, not the billing period of one month: it may be 32 days long, and three "
        "quarters of it must be in one month (UTC); set both to the month, in a transform before to_cbf"
    )


def _billed_in(start_text: str, end_text: str) -> BilledIn | None:
    start, end = _moment(start_text), _moment(end_text) if end_text else None
    try:
        month = _month(start, end)
        if month is None:
            return None
        return BilledIn(
            month=str(month),
            first=_written(max(start, month.start)),
            last=_written(month.end - timedelta(hours=1)),
            end=_written(end or month.end + (start - month.start)),
        )
    except (ValueError, OverflowError):  # Beyond the calendar.
        return None


def _month(start: datetime, end: datetime | None) -> Month | None:
    if end is None:
        near = Month.parse(start + _NEAR)
        return near if start <= near.start + _NEAR else None
    length = end - start
    if not timedelta(0) < length <= _LONGEST:
        return None
    first = Month.parse(start)
    shares = {month: min(end, month.end) - max(start, month.start) for month in (first, first.next)}
    return next((month for month, share in shares.items() if share >= 0.75 * length), None)


def _moment(text: str) -> datetime:
    return datetime.strptime(text, _FORM).replace(tzinfo=timezone.utc)


def _written(moment: datetime) -> str:
    return moment.strftime(_FORM).rjust(len("2025-11-01T00:00:00Z"), "0")
