"""Months, hours and timestamps, all in UTC."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.common.iso_times import parse_iso_8601
from cloudzero_provider.sandbox.settings.anycost import MonthFormat
from cloudzero_provider.sandbox.settings.fields import Permission
from cloudzero_provider.sandbox.settings.parsing import CbfTimes

if TYPE_CHECKING:
    from cloudzero_provider.sandbox.settings.all_settings import Settings

_YEAR_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# The schema's pattern: seconds are required, the offset is not. CBF times are UTC, so a naive one is UTC.
_TIMESTAMP = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]+)?"
    r"(?:Z|([+-])([0-9]{2}):([0-9]{2}))?"
)

_MONTH_RULES = {
    MonthFormat.BOTH: "must be YYYY-MM or an ISO 8601 datetime",
    MonthFormat.YEAR_MONTH: "must be YYYY-MM",
    MonthFormat.DATETIME: "must be an ISO 8601 datetime",
}


@dataclass(frozen=True, order=True)
class Month:
    """A calendar month in UTC."""

    year: int
    number: int

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"

    @property
    def start(self) -> str:
        return f"{self}-01T00:00:00Z"


def parse_month(text: str, spelling: MonthFormat) -> Month:
    """Parse a month; ``ValueError`` lists the formats that are accepted."""
    short = _YEAR_MONTH.fullmatch(text)
    try:
        if short and spelling is not MonthFormat.DATETIME:
            first_day = datetime(int(short[1]), int(short[2]), 1)
            return Month(first_day.year, first_day.month)
        if not short and spelling is not MonthFormat.YEAR_MONTH:
            return month_of(parse_timestamp(text))
    except ValueError:
        pass
    raise ValueError(_MONTH_RULES[spelling])


def parse_given_month(text: str, settings: Settings) -> Month:
    """Parse a request's ``month`` in the formats that the settings allow."""
    spelling = settings.month_format
    if spelling is MonthFormat.YEAR_MONTH or _YEAR_MONTH.fullmatch(text):
        return parse_month(text, spelling)
    try:
        if _DATE.fullmatch(text) and settings.month_dates is Permission.ACCEPT:
            return month_of(parse_timestamp(f"{text}T00:00:00"))
        times = CbfTimes.SCHEMA if _DATE.fullmatch(text) else settings.cbf_times
        return month_of(parse_cbf_time(text, times))
    except ValueError:
        raise ValueError(_MONTH_RULES[spelling]) from None


def parse_cbf_time(text: str, times: CbfTimes) -> datetime:
    """Parse a row's time as UTC, which is also the offset of a time without one."""
    return parse_timestamp(text) if times is CbfTimes.SCHEMA else parse_iso_8601(text)[0]


# A month has at most 744 hours, and most rows of a drop share their timestamps.
@lru_cache(maxsize=4096)
def parse_timestamp(text: str) -> datetime:
    """Parse an ISO 8601 datetime and convert it to UTC."""
    match = _TIMESTAMP.fullmatch(text)
    if not match:
        raise ValueError("must be an ISO 8601 datetime such as 2024-08-16T13:00:00Z")
    year, month, day, hour, minute, second = (int(match[group]) for group in range(1, 7))
    try:
        local = datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)
        return local - _offset(match[7], match[8], match[9])
    except (ValueError, OverflowError):
        raise ValueError("is not a time that exists") from None


def _offset(sign: str | None, hours: str, minutes: str) -> timedelta:
    if sign is None:
        return timedelta()
    if int(hours) > 23 or int(minutes) > 59:
        raise ValueError("has an offset of more than a day")
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return -offset if sign == "-" else offset


def month_of(moment: datetime) -> Month:
    """Return the month of a time."""
    return Month(moment.year, moment.month)


def hour_of(moment: datetime) -> str:
    """Return the start of a time's hour as ``2024-08-16T13:00:00Z``."""
    return f"{moment.isoformat()[:13]}:00:00Z"
