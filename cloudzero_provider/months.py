"""Calendar months in UTC, written ``2026-03``: the partition that billing data is sent by."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

from cloudzero_provider.exceptions import ConfigurationError, MonthError
from cloudzero_provider.values.parameters import read_whole_number
from cloudzero_provider.values.time_formats import read_time

#: A month as text.
YEAR_MONTH = re.compile(r"(?!0000)([0-9]{4})-(0[1-9]|1[0-2])")

_NO_DELAY = timedelta(0)


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
        if isinstance(value, str) and (match := YEAR_MONTH.fullmatch(value.strip())):
            return cls(int(match[1]), int(match[2]))
        if moment := _moment(value):
            return cls(moment.year, moment.month)
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

    def before(self, count: int) -> Month:
        """
        Return the month that is ``count`` months before this one.

        :param count: 0 is this month.
        :raises MonthError: when that is before the year 1.
        """
        year, number = divmod(12 * self.year + self.number - 1 - count, 12)
        if year < 1:
            raise MonthError(f"There is no month {count:,} before {self}: months are 0001-01 to 9999-12, in UTC.")
        return Month(year, number + 1)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"


def months_to_send(until: str | date, back: int = 2, *, delay: timedelta = _NO_DELAY) -> list[str]:
    """
    List the month of a moment and the ones before it, for a task that is mapped over them.

    ::

        months_to_send("2026-03-16")  # ["2026-01", "2026-02", "2026-03"]
        months_to_send("2026-03-01T06:00Z", delay=timedelta(days=1))  # ["2025-12", "2026-01", "2026-02"]

    In a task, :func:`~cloudzero_provider.airflow_support.run_month.moment_of_run` is the moment of the run.

    :param until: a date or a datetime (text in ISO 8601, or an object) in the newest month, or the month itself
        (``2026-03``). Datetimes with an offset are converted to UTC; those without one are UTC.
    :param back: how many months before that one to send again, since vendors correct them.
    :param delay: how long after the beginning of a month its first rows arrive. Until then, the month before it is the
        newest. It does not matter for a month that is given as such.
    :return: months like ``2026-03``, oldest first.
    :raises MonthError: when ``until`` is none of these.
    :raises ConfigurationError: when ``back`` is not a whole number, or ``delay`` is not a positive timedelta.
    """
    back = read_whole_number("back", back, least=0)
    if not isinstance(delay, timedelta) or delay < _NO_DELAY:
        raise ConfigurationError(f"delay is {delay!r}: expected a timedelta that is not negative.")
    newest = _newest_month(until, delay)
    return [str(newest.before(count)) for count in range(back, -1, -1)]


def _newest_month(until: str | date, delay: timedelta) -> Month:
    moment = None if isinstance(until, str) and YEAR_MONTH.fullmatch(until.strip()) else _moment(until)
    try:
        return Month.parse(until if moment is None else moment - delay)
    except OverflowError:
        raise MonthError(f"{delay} before {until!r} is out of range: months are 0001-01 to 9999-12, in UTC.") from None


def _moment(value: object) -> datetime | None:
    """Read a date or a datetime, text or an object, in UTC; ``None`` if it is neither."""
    # pandas' NaT is a datetime that is not equal to itself.
    if isinstance(value, datetime) and value == value:
        try:
            return in_utc(value)
        except OverflowError:
            raise MonthError(f"{value!r} is out of range: months are 0001-01 to 9999-12, in UTC.") from None
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=timezone.utc)
    return read_time(value.strip()) if isinstance(value, str) else None


def in_utc(moment: datetime) -> datetime:
    """
    Convert a datetime to one of Python's in UTC: differences from a pendulum datetime in UTC have no time zone.

    :param moment: without a time zone, it is UTC.
    """
    moment = moment.astimezone(timezone.utc) if moment.tzinfo else moment
    return datetime.combine(moment.date(), moment.time(), timezone.utc)
