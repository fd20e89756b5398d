"""Periods of records: hours, days or months in UTC, as ranges and gaps, however many there are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from enum import Enum
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from cloudzero_provider.months import Month

#: Most ranges, and most periods, that a report lists.
MOST_PERIODS = 31
_HOURS = 24
_MONTHS = 12


class Unit(Enum):
    """A unit of time, in UTC."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"

    def names_of(self, timestamps: pl.Series) -> pl.Series:
        """
        Return the period of each timestamp, like ``2026-03-16T13:00:00Z``, ``2026-03-16`` or ``2026-03``.

        :param timestamps: like ``2026-03-16T13:00:00Z``, truncated to this unit or a smaller one.
        """
        return timestamps.str.slice(0, _LENGTHS[self])

    def numbers_of(self, timestamps: pl.Series) -> pl.Series:
        """
        Number periods, so that those that follow each other have consecutive numbers.

        :param timestamps: as for :meth:`names_of`.
        """
        if self is Unit.MONTH:
            year, month = (timestamps.str.slice(*place).cast(pl.Int64) for place in ((0, 4), (5, 2)))
            return year * _MONTHS + month - 1
        days = timestamps.str.slice(0, 10).str.to_date("%Y-%m-%d").to_physical().cast(pl.Int64)
        return days if self is Unit.DAY else days * _HOURS + timestamps.str.slice(11, 2).cast(pl.Int64)

    def name_of(self, number: int) -> str:
        """
        Return the name of a period.

        :param number: as :meth:`numbers_of` gives it.
        """
        if self is Unit.MONTH:
            year, month = divmod(number, _MONTHS)
            return f"{year:04d}-{month + 1:02d}"
        if self is Unit.DAY:
            return (date(1970, 1, 1) + timedelta(days=number)).isoformat()
        return f"{(datetime(1970, 1, 1) + timedelta(hours=number)).isoformat()}Z"


_LENGTHS = {Unit.HOUR: 20, Unit.DAY: 10, Unit.MONTH: 7}

#: Granularity of records → the units that they can be listed by, the finest first.
UNITS = {
    "HOURLY": (Unit.HOUR, Unit.DAY, Unit.MONTH),
    "DAILY": (Unit.DAY, Unit.MONTH),
    "MONTHLY": (Unit.MONTH,),
}


def finest_unit(timestamps: pl.Series, granularity: str) -> Unit:
    """
    Return the finest unit that has few enough periods to be listed, or else the coarsest.

    :param timestamps: of the records.
    :param granularity: of the records.
    """
    *finer, coarsest = UNITS[granularity]
    return next((unit for unit in finer if unit.names_of(timestamps).n_unique() <= MOST_PERIODS), coarsest)


@dataclass(frozen=True)
class PeriodRange:
    """
    Periods that follow each other.

    :param first: the first one.
    :param last: the last one, which may be the same.
    :param periods: how many there are.
    """

    first: str
    last: str
    periods: int


@dataclass(frozen=True)
class Periods:
    """
    Some periods.

    :param unit: hours, days or months.
    :param count: how many there are.
    :param ranges: the first ranges of them, in order.
    :param other_ranges: how many ranges follow.
    """

    unit: Unit
    count: int
    ranges: tuple[PeriodRange, ...]
    other_ranges: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "unit": self.unit.value,
            "count": self.count,
            "ranges": [dict(vars(one)) for one in self.ranges],
            "other_ranges": self.other_ranges,
        }


def periods_of(timestamps: pl.Series, granularity: str) -> Periods:
    """
    Return the periods of records.

    :param timestamps: of the records, truncated to the granularity.
    :param granularity: of the records.
    """
    unit = UNITS[granularity][0]
    numbers = unit.numbers_of(timestamps).unique().sort()
    is_next = numbers.diff() == 1
    starts = numbers.filter(~is_next.fill_null(value=False))
    ends = numbers.filter(~is_next.shift(-1).fill_null(value=False))
    return _periods(unit, starts, ends)


def periods_without_records(
    timestamps: pl.Series, granularity: str, month: Month | None = None, now: datetime | None = None
) -> Periods:
    """
    Return the periods that have no records: of the month, up to yesterday in UTC, or between the first and the last.

    :param timestamps: of the records, truncated to the granularity; at least one.
    :param granularity: of the records.
    :param month: the month that all records are in, if it is known.
    :param now: the current time; only tests set it.
    """
    unit = UNITS[granularity][0]
    given = timestamps if month is None else pl.concat([timestamps, _ends(month, now)])
    bounds = unit.numbers_of(given)
    present = unit.numbers_of(timestamps).unique().sort()
    first, last = (pl.Series([number], dtype=pl.Int64) for number in (bounds.min(), bounds.max()))
    starts, ends = pl.concat([first, present + 1]), pl.concat([present - 1, last])
    is_gap = starts <= ends
    return _periods(unit, starts.filter(is_gap), ends.filter(is_gap))


def _ends(month: Month, now: datetime | None) -> pl.Series:
    """The first and the last hour of the days of a month that are over; none if no day is."""
    today = (now or datetime.now(timezone.utc)).astimezone(timezone.utc).date()
    midnight = datetime(today.year, today.month, today.day, tzinfo=timezone.utc)
    end = min(month.end, midnight)
    hours = [month.start, end - timedelta(hours=1)] if end > month.start else []
    return pl.Series([f"{hour.replace(tzinfo=None).isoformat()}Z" for hour in hours], dtype=pl.String)


def _periods(unit: Unit, starts: pl.Series, ends: pl.Series) -> Periods:
    first = zip(starts.head(MOST_PERIODS), ends.head(MOST_PERIODS), strict=True)
    return Periods(
        unit=unit,
        count=int((ends - starts + 1).sum()),
        ranges=tuple(PeriodRange(unit.name_of(start), unit.name_of(end), end - start + 1) for start, end in first),
        other_ranges=max(0, len(starts) - MOST_PERIODS),
    )
