"""The name of a task instance, which Airflow shows instead of its map index: month, rows and total."""

from __future__ import annotations

import pytest
from support import airflow_lines as lines
from support.airflow_runs import run


@pytest.fixture
def names(dags, tmp_path):
    outcome = run(dags["instances_named"], run_conf={"folder": str(tmp_path)})
    return outcome.names()


def test_an_instance_is_named_after_month_rows_and_total(names):
    assert names["send"][:2] == [
        "2026-01: 2 rows, total cost 3.75",
        "2026-02: 1 row, total cost 7, only checked",
    ]
    assert names["function"] == ["2025-01: 1 row, total cost 0.5"]
    assert names["metric"][:2] == ["named: 1 record, total 5", "named, 2026-03: 1 record, total 2"]


def test_one_that_was_skipped_or_failed_is_named_after_its_month(names):
    assert names["send"][2:] == ["2026-03", "2026-04"]
    assert names["metric"][2:] == ["named"]


def test_a_task_that_is_not_mapped_is_named_too(names):
    assert names["single"] == ["2026-06: 2 rows, total cost 7"]
    assert names["read"] == ["2026-06: 2 rows read, total cost 7"]


def test_a_template_of_the_user_wins(dags):
    names = run(dags["instances_named_by_the_user"]).names()
    assert names == {"send": ["2026-01 of mine"], "metric": ["orders"]}


@lines.needs((3, 2), "a request for a name")
def test_it_takes_no_request_to_airflow_after_sending(dags, tmp_path, monkeypatch):
    def refuse(**fields):
        raise AssertionError(f"a request to Airflow that could fail the task: {fields}")

    monkeypatch.setattr("airflow.sdk.execution_time.task_runner.SetRenderedMapIndex", refuse)
    outcome = run(dags["instances_named"], run_conf={"folder": str(tmp_path)})
    assert outcome.states["send"] == ["success", "success", "skipped", "failed"]
    assert outcome.states["single"] == outcome.states["read"] == ["success"]
    assert outcome.names()["single"] == ["2026-06: 2 rows, total cost 7"]
