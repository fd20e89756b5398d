from __future__ import annotations

from datetime import datetime, timezone

import pytest

from cloudzero_provider.anycost.comparison.days import days_without_rows
from cloudzero_provider.anycost.guards.days import RequiredDays, check_days, read_required_days
from cloudzero_provider.exceptions import ConfigurationError, MissingDaysError
from cloudzero_provider.months import Month

MARCH = Month(2026, 3)


def hours(*of_days: int) -> list[str]:
    return [f"2026-03-{day:02d}T{hour:02d}:00:00Z" for day in of_days for hour in (0, 23)]


@pytest.mark.parametrize(
    ("now", "missing"),
    [
        ("2026-04-01T00:00:00+00:00", [*range(4, 32)]),
        ("2026-03-06T00:00:00+00:00", [4, 5]),
        ("2026-03-05T23:59:59+00:00", [4]),
        # The day is not over in UTC.
        ("2026-03-05T01:00:00+02:00", []),
        ("2026-03-01T12:00:00+00:00", []),
        ("2026-02-01T12:00:00+00:00", []),
    ],
)
def test_days_that_are_over_need_rows(now, missing):
    at = datetime.fromisoformat(now).astimezone(timezone.utc)
    assert days_without_rows(MARCH, hours(1, 2, 3), at) == [f"2026-03-{day:02d}" for day in missing]


def test_the_error_names_the_first_days():
    with pytest.raises(MissingDaysError) as error:
        check_days(MARCH, hours(*range(1, 25)))
    shown = "2026-03-25, 2026-03-26, 2026-03-27, 2026-03-28, 2026-03-29 and 2 more"
    assert str(error.value).startswith(
        f"2026-03: 7 days without rows: {shown} (required_days='all'); nothing was sent."
    )
    with pytest.raises(MissingDaysError, match=r"2026-03: 1 day without rows: 2026-03-25 \(required_days"):
        check_days(MARCH, hours(*range(1, 25), *range(26, 32)))


def test_a_whole_month_passes_and_february_has_its_own_length():
    check_days(MARCH, hours(*range(1, 32)))
    check_days(Month(2024, 2), [f"2024-02-{day:02d}T00:00:00Z" for day in range(1, 30)])
    with pytest.raises(MissingDaysError, match="1 day without rows: 2024-02-29"):
        check_days(Month(2024, 2), [f"2024-02-{day:02d}T00:00:00Z" for day in range(1, 29)])


def test_it_is_all_or_off():
    assert (read_required_days(None), read_required_days(" all ")) == (None, RequiredDays.ALL)
    with pytest.raises(ConfigurationError, match="required_days is 'weekdays': expected one of all"):
        read_required_days("weekdays")


@pytest.mark.parametrize(
    ("days", "shown"),
    [
        (26, "5 days without rows: 2026-03-27, 2026-03-28, 2026-03-29, 2026-03-30, 2026-03-31"),
        (25, "6 days without rows: 2026-03-26, 2026-03-27, 2026-03-28, 2026-03-29, 2026-03-30 and 1 more"),
    ],
)
def test_the_whole_error(days, shown):
    with pytest.raises(MissingDaysError) as error:
        check_days(MARCH, hours(*range(1, days + 1)))
    assert str(error.value) == (
        f"2026-03: {shown} (required_days='all'); nothing was sent. Is a file of the month missing, or was the export "
        "made before the month was complete? If those days really have no costs, leave required_days out."
    )
