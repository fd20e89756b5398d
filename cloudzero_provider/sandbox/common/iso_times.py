"""Dates and datetimes in every form of ISO 8601 that names a day."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache

_CALENDAR = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8}")
_WEEK = re.compile(r"[0-9]{4}-W[0-9]{2}-[0-9]|[0-9]{4}W[0-9]{3}")
_ORDINAL = re.compile(r"[0-9]{4}-[0-9]{3}|[0-9]{7}")
# Hours, then optionally minutes, seconds and a fraction; then optionally Z or an offset with or without minutes.
_TIME = re.compile(
    r"([0-9]{2})(?::?([0-9]{2})(?::?([0-9]{2})(?:[.,][0-9]+)?)?)?(?:(Z)|([+-])([0-9]{2})(?::?([0-9]{2}))?)?"
)
_RULE = "must be an ISO 8601 date or datetime such as 2024-08-16T13:00:00Z"


# Most rows and records of a request share their timestamps.
@lru_cache(maxsize=4096)
def parse_iso_8601(text: str) -> tuple[datetime, bool]:
    """Parse a time; return it in UTC, and whether it has an offset. Without an offset it is read as UTC."""
    day, separator, time = text.partition("T" if "T" in text else " ")
    match = _TIME.fullmatch(time) if separator else None
    if separator and match is None:
        raise ValueError(_RULE)
    try:
        midnight = datetime.combine(_day(day), datetime.min.time(), timezone.utc)
        if match is None:
            return midnight, False
        moment = midnight + _since_midnight(match) - _offset(match)
    except OverflowError:
        raise ValueError("is not a time that exists") from None
    return moment, bool(match[4] or match[5])


def _day(text: str) -> date:
    digits = text.replace("-", "").replace("W", "")
    try:
        if _CALENDAR.fullmatch(text):
            return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
        if _WEEK.fullmatch(text):
            return date.fromisocalendar(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
        if _ORDINAL.fullmatch(text):
            found = date(int(digits[:4]), 1, 1) + timedelta(days=int(digits[4:]) - 1)
            if str(found.year).zfill(4) == digits[:4]:
                return found
            raise ValueError
    except ValueError:
        raise ValueError("is not a time that exists") from None
    raise ValueError(_RULE)


def _since_midnight(match: re.Match[str]) -> timedelta:
    hours, minutes, seconds = (int(match[group] or 0) for group in (1, 2, 3))
    is_end_of_day = (hours, minutes, seconds) == (24, 0, 0)
    if not is_end_of_day and (hours > 23 or minutes > 59 or seconds > 59):
        raise ValueError("is not a time that exists")
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def _offset(match: re.Match[str]) -> timedelta:
    hours, minutes = int(match[6] or 0), int(match[7] or 0)
    if hours > 23 or minutes > 59:
        raise ValueError("is not a time that exists")
    offset = timedelta(hours=hours, minutes=minutes)
    return -offset if match[5] == "-" else offset
