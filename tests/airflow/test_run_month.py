"""Which month a run sends, on each kind of schedule."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from support.airflow_lines import AIRFLOW_SDK, LINE, PARTITIONS, ended
from support.airflow_runs import backfill, close_backfills, run

from cloudzero_provider.exceptions import MonthError

APRIL = datetime(2026, 4, 1, tzinfo=timezone.utc)
QUARTER = ["2026-01", "2026-02", "2026-03"]


def totals(sandbox) -> dict[str, tuple[int, str]]:
    return {month: (held["rows"], held["total_cost"]) for month, held in sandbox.months().items()}


def refused(outcome, sandbox) -> MonthError:
    """Return the error of a task that failed without a retry, before it sent anything."""
    assert (outcome.state, outcome.tries["send"]) == ("failed", 1)
    [error] = outcome.errors["send"]
    assert isinstance(error, MonthError)
    assert isinstance(error, AirflowFailException)
    assert sandbox.requests() == []
    return error


class TestPlainCron:
    """The same schedule means different things in Airflow 2 and 3."""

    @AIRFLOW_SDK
    def test_has_no_month_in_airflow_3(self, dags, sandbox):
        error = refused(run(dags["month_of_plain_cron"], logical_date=APRIL), sandbox)
        assert "it is empty: a plain cron schedule in Airflow 3" in str(error)
        for way in ("month='2026-03'", "CronPartitionTimetable", "CronDataIntervalTimetable"):
            assert way in str(error)

    @ended((3, 0), "plain cron schedules with a data interval")
    def test_has_the_month_before_in_airflow_2(self, dags, sandbox):
        assert run(dags["month_of_plain_cron"], logical_date=APRIL).state == "success"
        assert totals(sandbox) == {"2026-03": (1, "7.5")}


class TestGiven:
    def test_month_overrides_the_schedule(self, dags, sandbox):
        assert (
            run(dags["month_that_is_given"], logical_date=datetime(2025, 7, 1, tzinfo=timezone.utc)).state == "success"
        )
        assert totals(sandbox) == {"2026-03": (1, "7.5")}

    @pytest.mark.parametrize("month", ["2026-03", "2026-03-31", "2026-03-31T23:59:59+00:00"])
    def test_a_template_becomes_the_month(self, dags, sandbox, month):
        outcome = run(dags["month_of_template"], run_conf={"month": month})
        assert outcome.state == "success"
        assert outcome.xcom("send")["month"] == "2026-03"
        assert totals(sandbox) == {"2026-03": (1, "7.5")}

    def test_an_empty_template_is_not_the_month_of_the_interval(self, dags, sandbox):
        assert "'None' is not a valid month" in str(
            refused(run(dags["month_of_empty_template"], logical_date=APRIL), sandbox)
        )

    def test_mapped_months(self, dags, sandbox):
        outcome = run(dags["months_mapped"], run_conf={"months": QUARTER})
        assert outcome.states["send"] == ["success"] * 3
        assert totals(sandbox) == dict.fromkeys(QUARTER, (2, "30.0"))
        assert [summary["month"] for summary in outcome.xcom("send")] == QUARTER
        assert sandbox.never_overlapped()


class TestInterval:
    @AIRFLOW_SDK
    def test_a_run_without_a_logical_date_has_no_month(self, dags, sandbox):
        assert "neither" in str(refused(run(dags["month_of_interval"], logical_date=None), sandbox))

    def test_of_a_month_is_the_month(self, dags, sandbox):
        assert run(dags["month_of_interval"], logical_date=APRIL).state == "success"
        assert set(sandbox.months()) == {"2026-03"}

    def test_of_a_day_is_refused(self, dags, sandbox):
        assert "not exactly one calendar month" in str(refused(run(dags["month_of_day"], logical_date=APRIL), sandbox))

    def test_backfilled_months_and_twice_is_once(self, dags, sandbox):
        dag = dags["months_of_intervals"]
        outcomes = backfill(dag, "2026-02", "2026-03")
        assert [(outcome.state, outcome.xcom("send")["month"]) for outcome in outcomes] == [
            ("success", "2026-02"),
            ("success", "2026-03"),
        ]
        before = totals(sandbox)
        assert before == {"2026-02": (2, "30.0"), "2026-03": (2, "30.0")}

        close_backfills()
        [again] = backfill(dag, "2026-03", "2026-03", again=True)
        assert again.xcom("send")["replaced_rows"] == 2
        assert totals(sandbox) == before
        assert len(sandbox.writes()) == 3


@PARTITIONS
class TestPartition:
    def test_of_a_month_is_the_month(self, dags, sandbox):
        outcomes = backfill(dags["month_of_partition"], "2026-01", "2026-03")
        assert [(outcome.state, outcome.partition_key) for outcome in outcomes] == [("success", key) for key in QUARTER]
        assert totals(sandbox) == dict.fromkeys(QUARTER, (1, "7.5"))

    @pytest.mark.parametrize("logical_date", ["now", None])
    def test_a_run_that_is_triggered_without_a_key_says_how_to_give_one(self, dags, sandbox, logical_date):
        error = refused(run(dags["month_of_partition"], logical_date=logical_date), sandbox)
        assert str(error).startswith(
            "No month: the run has no partition key. Its DAG is partitioned, so a run that is "
        )
        for way in ("Trigger > Advanced Options > Partition Key", '{"partition_key": "2026-03"}', "dags test"):
            assert way in str(error)

    def test_a_key_that_is_not_a_month_is_refused(self, dags, sandbox):
        [outcome] = backfill(dags["month_of_partition_with_time"], "2026-03", "2026-03")
        assert outcome.partition_key.startswith("2026-03-03T06:00:00")
        assert "Set key_format='%Y-%m'" in str(refused(outcome, sandbox))


def test_line_is_the_installed_version():
    import airflow

    assert airflow.__version__.startswith("{}.{}.".format(*LINE))
