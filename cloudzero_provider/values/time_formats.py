"""The accepted formats of dates and times, which are all unambiguous."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

NOT_TIMESTAMP = (
    "not an ISO 8601 date or date and time, like 2026-03-16T13:00:00Z, 2026-03-16 13:00:00.000 +0530, "
    "2026-03-16 13:00 UTC, 20260316T130000Z or 2026-03-16 (the year first; a zone is Z, UTC, GMT or an offset)"
)

_DATE = "[0-9]{4}(?:-[0-9]{2}-[0-9]{2}|/[0-9]{2}/[0-9]{2}|[0-9]{4})"
_TIME = "[0-9]{2}(?::[0-9]{2}:|[0-9]{2})[0-5][0-9]"
# Go writes "+0000 UTC", Java "Z[UTC]".
_UTC = r"(?:(?:[+-]00:?00 )?(?:Z|UTC|GMT)|(?:Z|[+-]00:00)\[(?:Etc/)?UTC\])"
_HOURS, _MINUTES = "(?:[01][0-9]|2[0-3])", "[0-5][0-9]"
_OFFSET = f"[+-]{_HOURS}(?::?{_MINUTES})?"
# After a date without a time, "-0530" and "-05" could also mean a time of day.
_CLEAR_OFFSET = rf"-{_HOURS}:{_MINUTES}|\+{_HOURS}(?::?{_MINUTES})?"

#: All accepted formats, as a regular expression for Python and for polars, which lacks look-around and back-references.
TIME_PATTERN = (
    f"(?i)^(?P<date>{_DATE})(?:"
    f"[T ](?:(?P<time>{_TIME})(?:[.,](?P<fraction>[0-9]+))?|(?P<minute>[0-9]{{2}}:?[0-9]{{2}}))"
    f"(?: ?(?:{_UTC}|(?P<offset>{_OFFSET})))?"
    f"|(?:[T ](?P<hour>[0-9]{{2}}))?(?: ?(?:{_UTC}|(?P<clear_offset>{_CLEAR_OFFSET})))?"
    ")$"
)
#: The formats that need no arithmetic: full timestamps in UTC, without fractions of a second.
PLAIN_TIME_PATTERN = (
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-5][0-9](?:[.,]0+)?(?: ?(?:Z|UTC|GMT|[+-]00(?::?00)?))?$"
)
_PATTERN = re.compile(TIME_PATTERN)


def read_time(text: str) -> datetime | None:
    """
    Parse a date or timestamp; ``None`` if it is neither.

    :param text: without a zone, it is read as UTC.
    :return: in UTC, truncated to microseconds.
    """
    match = _PATTERN.fullmatch(text)
    if match is None:
        return None
    written = match["date"] + (match["time"] or match["minute"] or match["hour"] or "")
    digits = re.sub("[^0-9]", "", written).ljust(14, "0")
    month, day, hour, minute, second = (int(digits[at : at + 2]) for at in range(4, 14, 2))
    micros = int((match["fraction"] or "")[:6].ljust(6, "0"))
    try:
        local = datetime(int(digits[:4]), month, day, hour, minute, second, micros, tzinfo=timezone.utc)
        return local - _offset(match["offset"] or match["clear_offset"] or "+00")
    except (ValueError, OverflowError):
        return None


def _offset(text: str) -> timedelta:
    hours, minutes = text[1:3], text[3:].lstrip(":") or "0"
    east = timedelta(hours=int(hours), minutes=int(minutes))
    return -east if text.startswith("-") else east
