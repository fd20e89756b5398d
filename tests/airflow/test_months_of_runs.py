"""Which month a run without the operator's ``month`` sends."""

from __future__ import annotations

from datetime import datetime, timezone

from airflow.sdk.exceptions import AirflowFailException
from runs import run

from cloudzero_provider.exceptions import MonthError

APRIL = datetime(2026, 4, 1, tzinfo=timezone.utc)


def test_a_plain_cron_schedule_has_no_month(dags, sandbox):
    outcome = run(dags["month_of_plain_cron"], logical_date=APRIL)
    assert (outcome.state, outcome.tries["send"]) == ("failed", 1)
    [error] = outcome.errors["send"]
    assert isinstance(error, MonthError)
    assert isinstance(error, AirflowFailException)
    for way in ("month='2026-03'", "CronPartitionTimetable", "CronDataIntervalTimetable"):
        assert way in str(error)
    assert sandbox.requests() == []


def test_a_run_without_a_logical_date_has_no_month(dags, sandbox):
    outcome = run(dags["month_of_interval"], logical_date=None)
    assert isinstance(outcome.errors["send"][0], MonthError)
    assert sandbox.requests() == []


def test_an_interval_of_a_month_is_the_month(dags, sandbox):
    assert run(dags["month_of_interval"], logical_date=APRIL).state == "success"
    assert set(sandbox.months()) == {"2026-03"}


def test_an_interval_of_a_day_is_no_month(dags, sandbox):
    outcome = run(dags["month_of_day"], logical_date=APRIL)
    assert isinstance(outcome.errors["send"][0], MonthError)
    assert sandbox.requests() == []
