"""The month that FOCUS charges are sent in: billing periods of any time zone, and refunds of an earlier month."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from functools import partial

import polars as pl
import pytest
from hypothesis import given, strategies as st
from support.charges import charge, check, converted, frame_of, problem_of, problems_of

from cloudzero_provider.anycost.focus import to_cbf
from cloudzero_provider.exceptions import InvalidRowsError
from cloudzero_provider.months import Month
from cloudzero_provider.values.month_hints import collected_hints

by_billing_period = partial(converted, month_from="billing_period")
NOVEMBER = Month(2025, 11)


def at(moment):
    return f"{moment:%Y-%m-%dT%H:%MZ}"


def period(start, end=None, **changes):
    return charge(BillingPeriodStart=start, BillingPeriodEnd=end, **changes)


def hours_of_month(offset, month=NOVEMBER):
    """A charge for each hour of a month in a zone, as an export in UTC has them."""
    shift = timedelta(hours=offset)
    start, end = month.start - shift, month.end - shift
    count = int((end - start) / timedelta(hours=1))
    return [
        period(at(start), at(end), ChargePeriodStart=at(start + timedelta(hours=n)), BilledCost="0.01")
        for n in range(count)
    ]


@pytest.mark.parametrize("offset", [-12, -5, 0, 1, 8, 14])
@pytest.mark.parametrize("has_end", [True, False])
def test_a_month_of_any_zone_is_sent_whole_to_that_month(offset, has_end):
    frame = frame_of(*hours_of_month(offset))
    frame = frame if has_end else frame.drop("BillingPeriodEnd")
    rows = to_cbf(frame, month_from="billing_period")
    assert Decimal(check(rows, NOVEMBER).totals["cost/cost"]) == Decimal("0.01") * frame.height
    with pytest.raises(InvalidRowsError, match=f"^{frame.height} problems in the rows"):
        check(rows, Month(2025, 10))


def test_what_lies_outside_of_the_month_in_utc_is_sent_in_its_nearest_hour(caplog):
    east = by_billing_period(*hours_of_month(8))
    assert [row["time/usage_start"] for row in east[:9]] == ["2025-11-01T00:00:00Z"] * 9
    assert east[9]["time/usage_start"] == "2025-11-01T01:00:00Z"
    assert "8 charges of another month (UTC) than the billing period, sent at the start of" in caplog.text
    west = by_billing_period(*hours_of_month(-5))
    assert [row["time/usage_start"] for row in west[-6:]] == ["2025-11-30T23:00:00Z"] * 6
    assert "5 charges of another month (UTC) than the billing period, sent in the last hour of" in caplog.text


def test_without_an_end_the_period_ends_as_far_from_the_month_as_it_begins():
    late, later = ("2025-12-01T04:00Z", "2025-12-01T05:00Z")
    rows = by_billing_period(*(period("2025-11-01T05:00Z", ChargePeriodStart=start) for start in (late, later)))
    assert [row["time/usage_start"] for row in rows] == ["2025-11-30T23:00:00Z", "2025-11-01T05:00:00Z"]


def test_a_charge_of_another_month_than_its_period_is_sent_at_the_start():
    beijing = ("2025-10-31T16:00Z", "2025-11-30T16:00Z")
    starts = ["2025-09-12T05:00Z", "2025-12-01T00:00Z"]
    rows = by_billing_period(*(period(*beijing, ChargePeriodStart=start) for start in starts))
    assert [row["time/usage_start"] for row in rows] == ["2025-11-01T00:00:00Z"] * 2
    [west] = by_billing_period(period("2025-11-01T05:00Z", "2025-12-01T05:00Z", ChargePeriodStart="2025-10-31T23:00Z"))
    assert west["time/usage_start"] == "2025-11-01T05:00:00Z"


@pytest.mark.parametrize(
    ("start", "end", "month"),
    [
        ("2025-10-31T16:00Z", "2025-11-30T16:00Z", "2025-11"),
        ("2025-10-31T16:00Z", None, "2025-11"),
        ("2025-11-01", "2025-12-01", "2025-11"),
        ("2025-11-01", "2025-11-30T23:59:59Z", "2025-11"),  # an end that is inclusive
        ("2025-02-01", "2025-02-28", "2025-02"),
        ("2025-01-31T16:00Z", "2025-02-28T16:00Z", "2025-02"),
        ("2025-11-05", "2025-12-05", "2025-11"),  # most of it
        ("2025-10-26", "2025-11-26", "2025-11"),
        ("2025-10-31", "2025-11-04", "2025-11"),  # exactly three quarters of it
        ("2025-10-31", "2025-12-02", "2025-11"),  # exactly 32 days
        ("2025-11-20", "2025-12-01", "2025-11"),  # the first one of an account
        ("2025-11-01", "2025-11-02", "2025-11"),
        ("2025-10-31", None, "2025-11"),
        ("2025-11-02", None, "2025-11"),
        ("2025-12-31T16:00Z", None, "2026-01"),
    ],
)
def test_the_month_that_is_billed(start, end, month):
    [row] = by_billing_period(period(start, end, ChargePeriodStart=f"{month}-01"))
    assert row["time/usage_start"][:7] == month


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2025-11-15", "2025-12-15"),
        ("2025-11-09", "2025-12-09"),
        ("2025-11-01", "2026-02-01"),
        ("2025-11-01", "2025-12-10"),  # three quarters of it are in November, but it is no month
        ("2025-11-01", "2026-11-01"),
        ("2025-11-01", "2025-11-01"),
        ("2025-11-01", "2025-10-01"),
        ("2025-11-28", "2025-12-05"),
        ("9999-12-31T00:00Z", "9999-12-31T12:00Z"),
    ],
)
def test_a_period_that_is_not_of_one_month_is_an_error(start, end):
    problem = problem_of(period(start, end), month_from="billing_period")
    assert (problem.where, problem.column, problem.value) == ("row 1", "BillingPeriodStart", f"'{at_utc(start)}'")
    assert problem.rule == (
        f"with the BillingPeriodEnd {at_utc(end)}, not the billing period of one month: it can be at most 32 days long, "
        "with at least three quarters in one month (UTC); set both to the month in a transform before to_cbf"
    )


def test_a_period_that_is_not_of_one_month_is_named_in_its_own_rows():
    bad = period("2025-11-15", "2025-12-15")
    found = problems_of(bad, period(None, "2025-12-01"), month_from="billing_period")
    assert [problem.where for problem in found if "not the billing period of one month" in problem.rule] == ["row 1"]


def test_other_months_are_counted_without_the_last_hour_of_their_own(caplog):
    november = ("2025-11-01", "2025-12-01")
    by_billing_period(
        period(*november, ChargePeriodStart="2025-11-30T23:30Z"), period(*november, ChargePeriodStart="2025-10-31")
    )
    assert [record.getMessage()[:60] for record in caplog.records if record.levelname == "WARNING"] == [
        "1 charge of another month (UTC) than the billing period, sen"
    ]


def test_the_hint_for_charges_of_other_months_names_the_option():
    with collected_hints() as hints:
        converted(period("2025-10-01", "2025-11-01", ChargePeriodStart="2025-11-02"))
    words = (
        "with a billing period of another month than the ChargePeriodStart: "
        "to_cbf(month_from='billing_period') sends them in the month of their billing period"
    )
    assert str(hints) == f"1 charge {words}"
    with collected_hints(hints):
        converted(*[period("2025-10-01", "2025-11-01", ChargePeriodStart="2025-11-02")] * 2)
    assert str(hints) == f"3 charges {words}"


def at_utc(text):
    return f"{text}T00:00:00Z" if len(text) == 10 else text.replace("Z", ":00Z")


@pytest.mark.parametrize(
    "start", ["2025-11-15", "2025-11-02T00:00:01Z", "2025-10-30T23:59:59Z", "9999-12-31T12:00:00Z"]
)
def test_a_start_alone_must_be_that_of_a_month(start):
    problem = problem_of(charge(), period(start), month_from="billing_period")
    assert problem.where == "row 2"
    assert problem.rule.startswith("more than a day from the start of a month (UTC), so without a BillingPeriodEnd")


def test_an_end_that_is_not_a_time_is_named_once():
    problem = problem_of(period("2025-11-01", "soon"), month_from="billing_period")
    assert (problem.column, problem.value) == ("BillingPeriodEnd", "'soon'")


def test_each_row_of_a_doubtful_period_is_counted():
    problems = problems_of(*[period("2025-11-15")] * 3, month_from="billing_period")
    assert [problem.where for problem in problems] == ["row 1", "row 2", "row 3"]


def test_doubtful_periods_do_not_matter_where_charges_go_by_their_own():
    assert converted(period("2025-11-15", "soon"), period("2025-11-15", "2027-01-01"))


def test_typed_columns_are_taken_as_well():
    start, end = (datetime(2025, month, day, 16, tzinfo=timezone.utc) for month, day in ((10, 31), (11, 30)))
    frame = frame_of(charge(ChargePeriodStart="2025-10-31T16:00Z")).with_columns(
        BillingPeriodStart=pl.Series([start]), BillingPeriodEnd=pl.Series([end])
    )
    assert to_cbf(frame, month_from="billing_period")["time/usage_start"].to_list() == ["2025-11-01T00:00:00Z"]


@given(st.integers(1, 9998), st.integers(1, 12), st.integers(-12 * 60, 14 * 60), st.integers(-60, 60), st.booleans())
def test_a_month_of_any_zone_is_that_month(year, number, east, summer, has_end):
    month = Month(year, number)
    if month == Month(1, 1):
        return
    start = month.start - timedelta(minutes=east)
    end = month.end - timedelta(minutes=east + summer)
    texts = [f"{moment:%Y-%m-%dT%H:%M:%SZ}".rjust(20, "0") for moment in (start, end)]
    [row] = by_billing_period(period(texts[0], texts[1] if has_end else None, ChargePeriodStart=texts[0]))
    assert row["time/usage_start"][:7] == str(month)
