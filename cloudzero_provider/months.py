"""Calendar months in UTC, written ``2026-03``: the partition that billing data is sent by."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timezone

from cloudzero_provider.exceptions import MonthError
from cloudzero_provider.values.time_formats import read_time

#: A month as text.
YEAR_MONTH = re.compile(r"(?!0000)([0-9]{4})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, order=True)
class Month:
    """
    A calendar month in UTC.

    :param year: 1 to 9999.
    :param number: 1 to 12.
    """

    year: int
    number: int

    @classmethod
    def parse(cls, value: str | date) -> Month:
        """
        Parse a month.

        :param value: ``2026-03``, or a date or datetime in it (text in ISO 8601, or an object). Datetimes with an
            offset are converted to UTC; those without one are UTC.
        :raises MonthError: for anything else, including ``'None'``, which an empty template renders to.
        """
        # pandas' NaT is a datetime that is not equal to itself.
        if isinstance(value, datetime) and value == value:
            try:
                moment = value.astimezone(timezone.utc) if value.tzinfo else value
            except OverflowError:
                raise MonthError(f"{value!r} is out of range: months are 0001-01 to 9999-12, in UTC.") from None
            return cls(moment.year, moment.month)
        if isinstance(value, date) and not isinstance(value, datetime):
            return cls(value.year, value.month)
        if isinstance(value, str):
            text = value.strip()
            if match := YEAR_MONTH.fullmatch(text):
                return cls(int(match[1]), int(match[2]))
            if read := read_time(text):
                return cls(read.year, read.month)
        raise MonthError(f"{value!r} is not a valid month: expected a string like '2026-03', a date or a datetime.")

    @property
    def start(self) -> datetime:
        """Start of the month, in UTC."""
        return datetime(self.year, self.number, 1, tzinfo=timezone.utc)

    @property
    def end(self) -> datetime:
        """End of the month (exclusive), in UTC."""
        return self.next.start

    @property
    def next(self) -> Month:
        """The month after this one."""
        return Month(self.year + self.number // 12, self.number % 12 + 1)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"
