from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pendulum
import pytest

from cloudzero_provider.airflow_support.run_month import resolve_month
from cloudzero_provider.exceptions import MonthError
from cloudzero_provider.months import Month

MARCH = Month(2026, 3)
UTC = timezone.utc


@pytest.mark.parametrize(
    "value",
    [
        "2026-03",
        " 2026-03 ",
        "2026-03-15",
        "2026-03-15T10:00:00Z",
        "2026-03-15 10:00:00+00:00",
        "2026-03-15 10:00 UTC",
        "20260315",
        "2026-04-01T01:00:00+02:00",
        date(2026, 3, 31),
        datetime(2026, 3, 31, 23, 59),
        datetime(2026, 4, 1, 1, tzinfo=timezone(timedelta(hours=2))),
        pendulum.datetime(2026, 3, 1),
        pendulum.date(2026, 3, 1),
    ],
)
def test_a_month_is_read_from_text_dates_and_datetimes(value):
    assert Month.parse(value) == MARCH


@pytest.mark.parametrize(
    "value",
    ["", "None", "2026-13", "2026-3", "0000-01", "March", "2026", "202603", 202603, None, "2026-02-30"]
    + ["0001-01-01T00:00:00+01:00", "15/03/2026", "2026-03-15T10:00 CET"],
)
def test_what_is_no_month_is_an_error_that_shows_it(value):
    with pytest.raises(MonthError) as error:
        Month.parse(value)
    assert repr(value) in str(error.value)


def test_a_moment_that_utc_does_not_have_is_an_error():
    with pytest.raises(MonthError, match="is out of range: months are 0001-01 to 9999-12"):
        Month.parse(datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-2))))


def test_a_month_knows_its_bounds_and_prints_as_it_is_read():
    december = Month(2025, 12)
    assert (december.start, december.end) == (datetime(2025, 12, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))
    assert str(december) == "2025-12"
    assert december < MARCH


def interval(start, end, zone=UTC):
    return {"dag": SimpleNamespace(timezone=zone), "data_interval_start": start, "data_interval_end": end}


def test_the_argument_wins():
    context = {
        "partition_key": "2020-01",
        **interval(datetime(2021, 1, 1, tzinfo=UTC), datetime(2021, 2, 1, tzinfo=UTC)),
    }
    assert resolve_month("2026-03", context) == MARCH


def test_then_the_partition_key_of_the_context_or_of_the_run():
    context = interval(datetime(2021, 1, 1, tzinfo=UTC), datetime(2021, 2, 1, tzinfo=UTC))
    assert resolve_month(None, {**context, "partition_key": "2026-03"}) == MARCH
    assert resolve_month(None, {**context, "dag_run": SimpleNamespace(partition_key="2026-03")}) == MARCH


def test_then_an_interval_of_one_calendar_month_in_the_zone_of_the_dag():
    berlin = ZoneInfo("Europe/Berlin")
    utc = interval(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
    local = interval(
        datetime(2026, 3, 1, tzinfo=berlin).astimezone(UTC), datetime(2026, 4, 1, tzinfo=berlin).astimezone(UTC), berlin
    )
    assert resolve_month(None, utc) == resolve_month(None, local) == MARCH


@pytest.mark.parametrize(
    "context",
    [
        interval(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)),
        interval(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)),
        interval(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)),
        interval(datetime(2026, 3, 1, 1, tzinfo=UTC), datetime(2026, 4, 1, 1, tzinfo=UTC)),
        interval(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC), ZoneInfo("Asia/Tokyo")),
        {},
        {"dag_run": SimpleNamespace(partition_key=None)},
    ],
)
def test_anything_else_is_an_error_that_lists_the_three_ways(context):
    with pytest.raises(MonthError, match=r"month='2026-03'.*CronPartitionTimetable.*CronDataIntervalTimetable"):
        resolve_month(None, context)


def test_the_text_none_of_an_empty_template_is_no_month():
    with pytest.raises(MonthError, match="'None' is not a valid month"):
        resolve_month("None", {"partition_key": "2026-03"})


@pytest.mark.parametrize("key", ["2026-03-01", "2026-03-01T00:00:00", "eu-west"])
def test_a_partition_key_that_is_no_month_is_an_error(key):
    with pytest.raises(MonthError, match="key_format='%Y-%m'"):
        resolve_month(None, {"partition_key": key})
