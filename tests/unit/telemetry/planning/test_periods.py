from __future__ import annotations

from datetime import datetime, timedelta, timezone

import polars as pl
import pytest
from hypothesis import given, strategies as st

from cloudzero_provider.months import Month
from cloudzero_provider.telemetry.planning.periods import (
    MOST_PERIODS,
    Unit,
    finest_unit,
    periods_of,
    periods_without_records,
)

MARCH = Month(2026, 3)
LATER = datetime(2026, 7, 1, tzinfo=timezone.utc)
GRANULARITIES = ["HOURLY", "DAILY", "MONTHLY"]


def stamp(moment):
    return f"{moment.replace(tzinfo=None).isoformat()}Z"


def stamps(*texts):
    return pl.Series([text + "2026-03-01T00:00:00Z"[len(text) :] for text in texts], dtype=pl.String)


def ranges(found):
    return [(one.first, one.last, one.periods) for one in found.ranges]


def following(text, granularity):
    """The name of the next period, by the calendar."""
    if granularity == "MONTHLY":
        return str(Month.parse(text).next)
    if granularity == "DAILY":
        return (datetime.fromisoformat(text) + timedelta(days=1)).date().isoformat()
    return stamp(datetime.fromisoformat(text[:-1]) + timedelta(hours=1))


def name(text, granularity):
    return {"HOURLY": text, "DAILY": text[:10], "MONTHLY": text[:7]}[granularity]


def spelled(found, granularity):
    """All periods of ranges, one by one."""
    names = []
    for one in found.ranges:
        names.append(one.first)
        for _ in range(one.periods - 1):
            names.append(following(names[-1], granularity))
        assert names[-1] == one.last
    return names


@given(st.sampled_from(GRANULARITIES), st.sets(st.integers(0, 59), min_size=1), st.sampled_from([0, 5, 12]))
def test_the_periods_and_the_gaps_are_all_periods_once_each(granularity, offsets, shift):
    # Around a new year, and the end of a February.
    every = [name(stamp(datetime(2027, 11, 28, 22) + timedelta(days=30 * shift)), granularity)]
    while len(every) < 60:
        every.append(following(every[-1], granularity))
    timestamps = stamps(*(every[offset] for offset in offsets)).sample(fraction=1, shuffle=True, seed=1)
    held, missing = periods_of(timestamps, granularity), periods_without_records(timestamps, granularity)
    present = sorted(every[offset] for offset in offsets)
    assert spelled(held, granularity) == present
    between = every[min(offsets) : max(offsets) + 1]
    assert spelled(missing, granularity) == [period for period in between if period not in present]
    assert (held.count, missing.count) == (len(present), len(between) - len(present))
    assert len(held.ranges) == len(missing.ranges) + 1
    assert {held.unit.value, missing.unit.value} == {
        {"HOURLY": "hour", "DAILY": "day", "MONTHLY": "month"}[granularity]
    }


def test_of_a_month_every_day_that_is_over_is_looked_at():
    timestamps = stamps("2026-03-03", "2026-03-04", "2026-03-07")
    missing = periods_without_records(timestamps, "DAILY", MARCH, LATER)
    assert ranges(missing) == [
        ("2026-03-01", "2026-03-02", 2),
        ("2026-03-05", "2026-03-06", 2),
        ("2026-03-08", "2026-03-31", 24),
    ]
    hourly = periods_without_records(timestamps, "HOURLY", MARCH, LATER)
    assert ranges(hourly)[0] == ("2026-03-01T00:00:00Z", "2026-03-02T23:00:00Z", 48)
    assert ranges(hourly)[-1] == ("2026-03-07T01:00:00Z", "2026-03-31T23:00:00Z", 24 * 25 - 1)
    assert hourly.count == 31 * 24 - 3
    assert periods_without_records(stamps("2026-03"), "MONTHLY", MARCH, LATER).count == 0


@pytest.mark.parametrize(
    ("now", "last"),
    [
        (datetime(2026, 3, 10, 0, 0, tzinfo=timezone.utc), "2026-03-09"),
        (datetime(2026, 3, 10, 23, 59, tzinfo=timezone.utc), "2026-03-09"),
        # Still the 9th in UTC.
        (datetime(2026, 3, 10, 1, 0, tzinfo=timezone(timedelta(hours=2))), "2026-03-08"),
        (datetime(2026, 4, 1, tzinfo=timezone.utc), "2026-03-31"),
    ],
)
def test_days_of_the_current_month_are_missing_up_to_yesterday(now, last):
    found = ranges(periods_without_records(stamps("2026-03-01"), "DAILY", MARCH, now))
    assert [(first, end) for first, end, _ in found] == [("2026-03-02", last)]


def test_records_of_today_and_later_are_looked_at_too():
    now = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)
    assert ranges(periods_without_records(stamps("2026-03-02", "2026-03-05"), "DAILY", MARCH, now)) == [
        ("2026-03-01", "2026-03-01", 1),
        ("2026-03-03", "2026-03-04", 2),
    ]
    at_first = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
    assert periods_without_records(stamps("2026-03-01"), "DAILY", MARCH, at_first).count == 0


def test_many_ranges_are_counted():
    timestamps = stamps(*(f"2026-03-{day:02}T{hour:02}:00:00Z" for day in range(1, 6) for hour in range(0, 24, 2)))
    for found, last in ((periods_of(timestamps, "HOURLY"), 60), (periods_without_records(timestamps, "HOURLY"), 59)):
        assert (found.count, len(found.ranges), found.other_ranges) == (last, MOST_PERIODS, last - MOST_PERIODS)
        assert found.as_dict()["ranges"][0] == vars(found.ranges[0])
        assert (found.as_dict()["unit"], found.as_dict()["other_ranges"]) == ("hour", last - MOST_PERIODS)


def test_the_first_and_the_last_years_are_as_good_as_any():
    timestamps = stamps("0001-01-01T00:00:00Z", "9999-12-31T23:00:00Z")
    assert ranges(periods_of(timestamps, "HOURLY")) == [(text, text, 1) for text in timestamps]
    assert ranges(periods_without_records(timestamps, "DAILY")) == [("0001-01-02", "9999-12-30", 3652057)]
    assert ranges(periods_without_records(timestamps, "MONTHLY")) == [("0001-02", "9999-11", 12 * 9999 - 2)]


@pytest.mark.parametrize(
    ("granularity", "count", "step", "unit"),
    [
        ("HOURLY", 31, timedelta(hours=1), Unit.HOUR),
        ("HOURLY", 32, timedelta(hours=1), Unit.DAY),
        ("HOURLY", 31, timedelta(days=1), Unit.HOUR),
        ("HOURLY", 32 * 24, timedelta(hours=1), Unit.MONTH),
        ("DAILY", 31, timedelta(days=1), Unit.DAY),
        ("DAILY", 32, timedelta(days=1), Unit.MONTH),
        ("MONTHLY", 1, timedelta(0), Unit.MONTH),
        ("MONTHLY", 99, timedelta(days=31), Unit.MONTH),
    ],
)
def test_records_are_listed_by_the_finest_unit_that_is_short(granularity, count, step, unit):
    timestamps = pl.Series([stamp(datetime(2026, 3, 1) + n * step) for n in range(count)])
    assert finest_unit(timestamps, granularity) is unit
