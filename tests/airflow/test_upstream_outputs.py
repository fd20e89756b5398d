"""Rows of several upstream tasks: only those of skipped tasks may be missing."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from support.airflow_lines import needs
from support.airflow_runs import clear_and_run, run

from cloudzero_provider.exceptions import InputError

MONTH = "2026-03"


def days(sandbox):
    return sorted(row["time/usage_start"][8:10] for row in sandbox.rows(MONTH))


def test_the_rows_of_the_branch_that_ran_are_sent(dags, sandbox):
    outcome = run(dags["skipped_by_a_branch"])
    assert (outcome.states["b"], outcome.states["send"]) == (["skipped"], ["success"])
    assert days(sandbox) == ["01", "02"]


def test_what_a_skipped_task_returned_before_it_was_cleared_is_not_sent(dags, sandbox):
    dag = dags["skipped_on_a_second_run"]
    outcome = run(dag)
    assert days(sandbox) == ["01", "02", "03"]
    outcome = clear_and_run(dag, outcome, *dag.task_ids)
    assert (outcome.states["b"], outcome.states["send"]) == (["skipped"], ["success"])
    assert days(sandbox) == ["01", "02"]


def test_instances_that_were_skipped_are_left_out(dags, sandbox):
    outcome = run(dags["mapped_with_skipped"])
    assert outcome.states["of_day"] == ["success", "skipped", "success"]
    assert outcome.states["send"] == ["success"]
    assert days(sandbox) == ["01", "02"]


@needs((3, 0), "removal of instances by the loop of these tests")
def test_what_a_removed_instance_returned_is_not_sent(dags, sandbox):
    dag = dags["mapped_over_less_on_a_second_run"]
    outcome = run(dag)
    assert days(sandbox) == ["01", "02", "03"]
    outcome = clear_and_run(dag, outcome, *dag.task_ids)
    assert (outcome.states["of_day"], outcome.states["send"]) == (["success", "success", "removed"], ["success"])
    assert days(sandbox) == ["01", "02"]


def test_a_task_that_is_mapped_over_nothing_means_no_rows(dags, sandbox):
    outcome = run(dags["mapped_over_nothing"])
    assert outcome.states["send"] == ["skipped"]
    assert sandbox.writes() == []


@pytest.mark.parametrize(
    ("dag_id", "words"),
    [
        ("none_beside_rows", "records[1] is None: the upstream task 'nothing' returned nothing. Return an empty list"),
        ("skipped_beside_none", "records[1] is None: the upstream task 'nothing' returned nothing. Return an empty"),
        (
            "skipped_alone",
            "records: there are no rows because the upstream task 'skips' was skipped. Nothing was sent.",
        ),
        ("skipped_all", "records: there are no rows because the upstream tasks 'skips' and 'skips_too' were skipped"),
        (
            "failed_beside_rows",
            "records[1]: the upstream task 'fails' did not succeed (failed), so its rows are missing",
        ),
        (
            "skipped_and_combined",
            "records: the upstream task 'skips' was skipped, but its output is combined with others",
        ),
        ("mapped_with_none", "records: 1 of 3 instances of the upstream task 'of_day' returned nothing."),
        ("mapped_with_failed", "records: the upstream task 'of_day' did not succeed (failed), so its rows are missing"),
    ],
)
def test_anything_else_missing_is_an_error_that_names_the_task(dags, sandbox, dag_id, words):
    outcome = run(dags[dag_id])
    assert outcome.states["send"] == ["failed"]
    [error] = outcome.errors["send"]
    assert isinstance(error, InputError)
    assert isinstance(error, AirflowFailException)
    assert words in str(error)
    assert sandbox.writes() == []
