from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pendulum
import pytest

from cloudzero_provider.airflow_support.run_month import moment_of_run, resolve_month
from cloudzero_provider.exceptions import ConfigurationError, MonthError
from cloudzero_provider.months import Month, months_to_send

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


class TestMonthsToSend:
    @pytest.mark.parametrize(
        "until",
        [
            "2026-03",
            " 2026-03 ",
            "2026-03-01",
            "2026-03-31T23:59:59Z",
            "2026-04-01T01:00+02:00",
            date(2026, 3, 31),
            datetime(2026, 3, 1),
            datetime(2026, 3, 31, 23, tzinfo=timezone(timedelta(hours=-1))) - timedelta(hours=1),
            pendulum.datetime(2026, 3, 16),
        ],
    )
    def test_the_month_so_far_and_the_two_before_it(self, until):
        assert months_to_send(until) == ["2026-01", "2026-02", "2026-03"]

    @pytest.mark.parametrize(
        ("back", "months"),
        [(0, ["2026-01"]), (1, ["2025-12", "2026-01"]), (13, [*(f"2025-{n:02d}" for n in range(1, 13)), "2026-01"])],
    )
    def test_over_the_turn_of_the_year(self, back, months):
        found = months_to_send("2026-01-16", back)
        assert found[-len(months) :] == months
        assert len(found) == back + 1

    def test_forty_years(self):
        found = months_to_send("2026-12", back=480)
        assert (found[0], found[-1], len(set(found))) == ("1986-12", "2026-12", 481)
        assert found == sorted(found)

    @pytest.mark.parametrize(
        ("until", "newest"),
        [
            ("2026-03-31T23:59:59Z", "2026-03"),
            ("2026-04-01", "2026-03"),
            ("2026-04-02T05:59:59Z", "2026-03"),
            ("2026-04-02T06:00Z", "2026-04"),
            ("2026-04-02T08:00+02:00", "2026-04"),
            ("2026-04", "2026-04"),
            (date(2026, 4, 2), "2026-03"),
            (date(2026, 4, 3), "2026-04"),
            (datetime(2026, 4, 2, 6), "2026-04"),
            (pendulum.datetime(2026, 4, 2, 5), "2026-03"),
        ],
    )
    def test_a_month_that_has_no_rows_yet_is_not_the_newest(self, until, newest):
        assert months_to_send(until, back=0, delay=timedelta(days=1, hours=6)) == [newest]

    def test_a_delay_of_more_than_a_month(self):
        assert months_to_send("2026-03-16", delay=timedelta(days=50)) == ["2025-11", "2025-12", "2026-01"]

    @pytest.mark.parametrize("back", [-1, 1.5, "2", True, None])
    def test_another_number_is_an_error(self, back):
        with pytest.raises(ConfigurationError, match="back is"):
            months_to_send("2026-03", back)

    @pytest.mark.parametrize("delay", [timedelta(days=-1), 2, None, "1 day"])
    def test_another_delay_is_an_error(self, delay):
        with pytest.raises(ConfigurationError, match="delay is"):
            months_to_send("2026-03", delay=delay)

    @pytest.mark.parametrize("until", ["None", "", None, 202603, "2026", pendulum, float("nan")])
    def test_what_is_no_month_is_an_error(self, until):
        for delay in (timedelta(0), timedelta(days=1)):
            with pytest.raises(MonthError, match="is not a valid month"):
                months_to_send(until, delay=delay)

    def test_before_the_calendar(self):
        with pytest.raises(MonthError, match="There is no month 2 before 0001-02"):
            months_to_send("0001-02", back=2)
        assert months_to_send("0001-03", back=2) == ["0001-01", "0001-02", "0001-03"]
        with pytest.raises(MonthError, match="is out of range"):
            months_to_send("0001-01-01", back=0, delay=timedelta(days=1))


class TestMomentOfRun:
    NEW_YORK = ZoneInfo("America/New_York")

    @pytest.mark.parametrize(
        ("context", "last"),
        [
            pytest.param({"partition_key": "2026-03"}, "2026-03-31T23:59:59.999999Z", id="a partition that is a month"),
            pytest.param(
                {"dag_run": SimpleNamespace(partition_key="2026-03-16T06:00:00")}, "2026-03-16T06:00Z", id="or a time"
            ),
            pytest.param(
                interval(datetime(2026, 3, 1, tzinfo=NEW_YORK), datetime(2026, 4, 1, tzinfo=NEW_YORK), NEW_YORK),
                "2026-03-31T23:59:59.999999Z",
                id="an interval of a month, where the DAG is",
            ),
            pytest.param(
                interval(datetime(2026, 3, 31, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)),
                "2026-03-31T23:59:59.999999Z",
                id="an interval of a day",
            ),
            pytest.param(
                interval(datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)),
                "2026-03-31T23:59:59.999999Z",
                id="an interval of no length, at midnight",
            ),
            pytest.param(
                interval(datetime(2026, 4, 1, 6, tzinfo=UTC), datetime(2026, 4, 1, 6, tzinfo=UTC)),
                "2026-04-01T05:59:59.999999Z",
                id="an interval of no length, in the morning",
            ),
            pytest.param(
                {
                    "dag_run": SimpleNamespace(
                        partition_key=None, run_after=pendulum.datetime(2026, 3, 16, tz="Asia/Tokyo")
                    )
                },
                "2026-03-15T14:59:59.999999Z",
                id="by hand, without a logical date",
            ),
            pytest.param(
                {
                    "partition_key": "eu-west",
                    "dag_run": SimpleNamespace(run_after=datetime(2026, 3, 16, tzinfo=UTC)),
                    "data_interval_start": None,
                    "data_interval_end": None,
                },
                "2026-03-15T23:59:59.999999Z",
                id="a partition that is no time",
            ),
        ],
    )
    def test_is_the_last_that_the_run_covers(self, context, last):
        moment = moment_of_run(context)
        assert moment == pendulum.parse(last)
        assert (type(moment), moment.utcoffset()) == (datetime, timedelta(0))
        assert (moment - timedelta(days=1)).tzinfo is UTC

    def test_a_month_of_airflow_2_and_of_airflow_3_is_the_same(self):
        """A plain @monthly: the interval of the month before, or none."""
        due = datetime(2026, 4, 1, tzinfo=UTC)
        for start in (datetime(2026, 3, 1, tzinfo=UTC), due):
            assert months_to_send(moment_of_run(interval(start, due))) == ["2026-01", "2026-02", "2026-03"]

    @pytest.mark.parametrize("context", [{}, {"dag_run": None}, {"dag_run": SimpleNamespace()}])
    def test_without_a_run_it_is_an_error(self, context):
        with pytest.raises(MonthError, match="neither a data interval nor a run with run_after"):
            moment_of_run(context)
