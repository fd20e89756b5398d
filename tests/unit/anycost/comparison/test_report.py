from __future__ import annotations

import json
import time
from datetime import datetime, timedelta, timezone

import polars as pl
import pytest
from support.month_versions import random_versions, spelled
from support.rows import MARCH, bill_row, checked

from cloudzero_provider.anycost.comparison.contents import canonical, contents_sha256
from cloudzero_provider.anycost.comparison.days import days_without_rows
from cloudzero_provider.anycost.comparison.options import read_by
from cloudzero_provider.anycost.comparison.replaced_rows import replaced_and_kept
from cloudzero_provider.anycost.comparison.report import plan_report
from cloudzero_provider.anycost.plan import Limits, Operation, make_plan
from cloudzero_provider.exceptions import ConfigurationError
from cloudzero_provider.months import Month

NOTHING_SHA256 = contents_sha256(pl.DataFrame())


def frame(rows):
    names = dict.fromkeys(name for row in rows for name in row)
    return pl.DataFrame({name: pl.Series([row.get(name) for row in rows], dtype=pl.String) for name in names})


def report_of(given, held=None, operation=Operation.REPLACE_DROP, limits=None, **options):
    rows = checked(given)
    before = frame(held) if held is not None else None
    limits = limits or Limits()
    return plan_report(make_plan(rows, operation, limits), "stream-1", limits, rows.frame, before, **options)


def with_resources(rows):
    """Tags require a resource."""
    return [row | {"resource/id": "i-1"} for row in rows]


def counts(report):
    total = report.changes.total
    return [part.rows for part in (total.removed, total.added, total.changed_after, total.unchanged)]


def test_the_facts_of_the_plan_and_of_what_is_held():
    limits = Limits(max_body_bytes=300)
    given = [bill_row(day, cost="1.50", **{"cost/amortized_cost": "2"}) for day in range(1, 11)]
    report = report_of(given, [bill_row(1, cost="7.10")], limits=limits)
    plan = make_plan(checked(given), Operation.REPLACE_DROP, limits)
    found = report.as_dict()
    assert found["requests"] == len(plan.requests) > 1
    assert found["bytes"] == sum(map(len, plan.bodies()))
    assert found["largest_request_bytes"] == max(map(len, plan.bodies()))
    assert found["limits"] == {"max_body_bytes": 300, "max_month_bytes": 70_000_000, "max_month_rows": 1_000_000}
    assert found["totals"] == {"cost/cost": "15", "cost/amortized_cost": "20"}
    assert (found["month"], found["operation"], found["anycost_connection_id"]) == (
        "2026-03",
        "replace_drop",
        "stream-1",
    )
    assert found["held"] == {"rows": 1, "totals": {"cost/cost": "7.1"}}
    assert found["becomes"] == {"rows": 10, "totals": found["totals"]}
    assert (found["rows"], found["total_cost"], found["by"]) == (10, "15", "resource/service")
    assert found["markdown"] == report.markdown
    assert found["days_without_rows"] == [f"2026-03-{day}" for day in range(11, 32)]


@pytest.mark.parametrize("seed", range(6))
def test_the_report_is_small_plain_json_with_exact_amounts(seed):
    held, given = map(with_resources, random_versions(seed + 3))
    report = report_of(given or [bill_row()], spelled(held, seed), by="resource/tag:team")
    found = report.as_dict()
    assert json.loads(json.dumps(found)) == found
    assert all(isinstance(amount, str) for amount in found["totals"].values())


def test_a_large_month_of_many_values_has_a_small_report():
    given = [bill_row(n % 31 + 1, cost=str(n), **{"resource/service": f"service {n}"}) for n in range(5_000)]
    found = report_of(given, given[2_500:]).as_dict()
    changes = found["changes"]
    assert [len(changes[name]) for name in ("by_day", "by_value", "movers")] == [31, 20, 10]
    assert changes["others"]["values"] == 4_980
    assert len(json.dumps(found)) < 30_000


def test_replace_drop_replaces_everything():
    report = report_of([bill_row(1), bill_row(2)], [bill_row(2), bill_row(3)])
    assert counts(report) == [1, 1, 0, 1]
    assert report.kept.rows == 0
    assert report.as_dict()["held_by_hour"] is None
    assert report.becomes.rows == 2


def test_replace_hourly_replaces_the_hours_that_are_sent():
    held = [
        bill_row(1, 0, "1"),
        {**bill_row(1, 0, "2"), "time/usage_start": "2026-03-01 00:30:00"},
        bill_row(1, 1, "3"),
        {"cost/cost": "4"},
        {"time/usage_start": "soon", "cost/cost": "5"},
    ]
    report = report_of([bill_row(1, 0, "1"), bill_row(1, 0, "7")], held, Operation.REPLACE_HOURLY)
    assert counts(report) == [0, 0, 1, 4]
    assert (report.kept.rows, report.kept.cost) == (3, "12")
    assert (report.becomes.rows, report.becomes.cost) == (5, "20")
    assert (report.held.rows, report.held.cost) == (5, "15")
    assert report.held_sha256 == contents_sha256(canonical(frame(held[:2])))


def test_sum_replaces_nothing():
    report = report_of([bill_row(1)], [bill_row(1), bill_row(2)], Operation.SUM)
    assert counts(report) == [0, 1, 0, 2]
    assert (report.kept.rows, report.becomes.rows, report.becomes.cost) == (2, 3, "3")
    assert report.is_unchanged is False
    assert report.held_sha256 == NOTHING_SHA256
    assert report.as_dict()["held_by_hour"] is None


@pytest.mark.parametrize("operation", Operation)
def test_replaced_and_kept_rows_are_all_rows(operation):
    held = canonical(frame([bill_row(1), bill_row(2), {"cost/cost": "1"}]))
    parts = replaced_and_kept(held, operation, ["2026-03-01T00:00:00Z"])
    assert [part.height for part in parts] == {"replace_drop": [3, 0], "replace_hourly": [1, 2], "sum": [0, 3]}[
        operation.value
    ]


@pytest.mark.parametrize("operation", Operation)
def test_nothing_is_held(operation):
    for held in (None, []):
        report = report_of([bill_row(1)], held, operation)
        assert counts(report) == [0, 1, 0, 0]
        assert (report.held, report.kept, report.held_problem) == (None, None, None)
        assert report.held_sha256 == NOTHING_SHA256
        assert report.becomes.rows == 1


@pytest.mark.parametrize(("operation", "becomes"), [("replace_drop", 1), ("replace_hourly", None), ("sum", None)])
def test_a_month_that_can_not_be_read_is_not_compared(operation, becomes):
    report = report_of([bill_row(1)], operation=Operation(operation), held_problem="The key may not read it.")
    assert (report.held, report.changes, report.held_sha256, report.is_unchanged) == (None, None, None, False)
    assert report.as_dict()["held_problem"] == "The key may not read it."
    assert (report.becomes.rows if report.becomes else None) == becomes


@pytest.mark.parametrize("column", ["cost/cost", "cost/on_demand_cost"])
def test_a_held_cost_that_is_not_a_number_is_a_problem_of_the_held_month(column):
    report = report_of([bill_row(1)], [bill_row(1, **{column: "much"})])
    assert (report.changes, report.held) == (None, None)
    assert f"CloudZero holds 1 value of {column} that can't be summed: expected decimal numbers" in report.held_problem


def test_the_hashes_are_of_the_contents_in_any_order_and_spelling():
    held = with_resources(random_versions(3)[0])
    report = report_of(held[::-1], spelled(held, 1))
    assert report.is_unchanged
    assert report.rows_sha256 == report.held_sha256 == contents_sha256(canonical(frame(held)))
    other = report_of([{**held[0], "resource/tag:team": "other"}, *held[1:]], held)
    assert other.rows_sha256 != other.held_sha256 == report.held_sha256


@pytest.mark.parametrize(
    ("now", "missing"),
    [
        (datetime(2026, 3, 4, 0, 0, tzinfo=timezone.utc), ["2026-03-01", "2026-03-03"]),
        (datetime(2026, 3, 3, 23, 59, tzinfo=timezone.utc), ["2026-03-01"]),
        (datetime(2026, 3, 1, 5, tzinfo=timezone.utc), []),
        (datetime(2026, 2, 1, tzinfo=timezone.utc), []),
    ],
)
def test_days_without_rows_are_over(now, missing):
    assert days_without_rows(MARCH, ["2026-03-02"], now) == missing


@pytest.mark.parametrize("zone", ["XXX+12", "XXX-14"])
def test_days_are_over_in_utc_wherever_the_worker_is(zone, monkeypatch):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        # At any time, one of the zones has another date than UTC, perhaps that of another month.
        today = datetime.now(timezone.utc).date()
        over = [today - timedelta(days=number) for number in range(1, 29)]
        months = {(day.year, day.month): Month(day.year, day.month) for day in (today, *over)}
        found = [day for month in months.values() for day in days_without_rows(month, [])]
    finally:
        monkeypatch.undo()
        time.tzset()
    # The day may end meanwhile.
    assert max(found) in (str(over[0]), str(today))
    assert max(found) != str(today) or datetime.now(timezone.utc).date() > today


def test_all_days_of_a_past_month():
    assert days_without_rows(Month(2024, 2), [], None) == [f"2024-02-{day:02d}" for day in range(1, 30)]
    assert days_without_rows(Month(9999, 12), [], None) == []


def test_kept_days_have_rows():
    held = [bill_row(day, 1) for day in range(2, 32)]
    assert report_of([bill_row(1)], held, Operation.REPLACE_HOURLY).days_without_rows == ()
    assert len(report_of([bill_row(1)], held).days_without_rows) == 30


def test_the_column_that_changes_are_listed_by():
    assert [read_by(name) for name in ("resource/account", " resource/tag:team ")] == [
        "resource/account",
        "resource/tag:team",
    ]
    for value, words in (
        ("resource/servise", "did you mean 'resource/service'?"),
        ("", "expected a column"),
        (None, "expected a column"),
        ("cost/cost", "does not hold amounts"),
        ("usage/amount", "does not hold amounts"),
    ):
        with pytest.raises(ConfigurationError) as error:
            read_by(value)
        assert str(error.value).startswith(f"by is {value!r}: expected a column ")
        with pytest.raises(ConfigurationError) as error:
            read_by(value, "compare_by")
        assert "compare_by is" in str(error.value)
        assert words in str(error.value)
