"""
Tasks with ``operation="sum"``, over Airflow's own retries and clears.

Since Airflow 3.3 its task state store holds what was acknowledged. On older lines a retry is refused.
"""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from support.airflow_lines import NO_TASK_STATE_STORE, TASK_STATE_STORE
from support.airflow_runs import clear_and_run, run
from support.telemetry_streams import records

from cloudzero_provider.exceptions import AmbiguousWriteError, RateLimitError

VALUES = [2**day for day in range(1, 21)]


def telemetry_held(sandbox) -> list[int]:
    return sorted(int(value) for *_, value in records(sandbox, "sums"))


def drops_held(sandbox) -> list[int]:
    return sorted(int(row["cost/cost"]) for row in sandbox.rows("2026-03"))


@pytest.fixture(params=["sum_of_telemetry", "sum_of_drops"])
def dag(request, dags):
    return dags[request.param]


@pytest.fixture
def held(dag, sandbox):
    """The values that CloudZero holds."""
    return lambda: {"sum_of_telemetry": telemetry_held, "sum_of_drops": drops_held}[dag.dag_id](sandbox)


def statuses(sandbox) -> list[int]:
    return [request["status"] for request in sandbox.posts()]


def journal(outcome) -> tuple[int, str | None]:
    """How many requests were acknowledged, and the digest of the one in flight."""
    stored = outcome.stored("send")["cloudzero_sum"]
    return stored["acknowledged"], stored["intent"]


def throttle(sandbox, *, after: int, times: int = 1) -> None:
    sandbox.faults({"kind": "refuse", "status": 429, "skip": after, "times": times})


def test_a_first_attempt_sends_everything(dag, held):
    assert run(dag).state == "success"
    assert held() == VALUES


@NO_TASK_STATE_STORE
def test_a_retry_that_cant_know_what_was_summed_is_refused(dag, held, sandbox):
    throttle(sandbox, after=3)
    dag.get_task("send").retries = 2
    try:
        outcome = run(dag)
    finally:
        dag.get_task("send").retries = 1
    assert (outcome.state, outcome.tries["send"]) == ("failed", 2)
    first, second = outcome.errors["send"]
    assert isinstance(first, RateLimitError)
    assert not isinstance(first, AirflowFailException)
    assert isinstance(second, AmbiguousWriteError)
    assert isinstance(second, AirflowFailException)
    assert "could count them twice" in str(second)
    assert statuses(sandbox) == [200] * 3 + [429]
    before = held()
    assert before == VALUES[: len(before)]


@NO_TASK_STATE_STORE
def test_a_cleared_task_sends_everything_again_and_its_retry_is_refused(dag, held, sandbox):
    throttle(sandbox, after=3)
    failed = run(dag)
    assert (failed.state, failed.tries["send"]) == ("failed", 2)

    sandbox.reset()
    again = clear_and_run(dag, failed, "send")
    assert (again.state, again.tries["send"]) == ("success", 3)
    assert held() == VALUES

    sandbox.reset()
    throttle(sandbox, after=2)
    refused = clear_and_run(dag, again, "send")
    assert (refused.state, refused.tries["send"]) == ("failed", 5)
    assert isinstance(refused.errors["send"][-1], AmbiguousWriteError)
    assert statuses(sandbox) == [200] * 2 + [429]


@TASK_STATE_STORE
def test_a_retry_skips_what_was_acknowledged(dag, held, sandbox):
    throttle(sandbox, after=3)
    outcome = run(dag)
    assert (outcome.state, outcome.tries["send"]) == ("success", 2)
    [error] = outcome.errors["send"]
    assert isinstance(error, RateLimitError)
    assert "3" in error.recovery
    assert held() == VALUES
    requests = outcome.xcom("send")["requests"]
    assert statuses(sandbox) == [200] * 3 + [429] + [200] * (requests - 3)
    assert journal(outcome) == (requests, None)


@TASK_STATE_STORE
def test_a_second_retry_continues_the_count(dag, held, sandbox):
    throttle(sandbox, after=3)
    sandbox.faults({"kind": "refuse", "status": 429, "skip": 5})
    dag.get_task("send").retries = 2
    try:
        outcome = run(dag)
    finally:
        dag.get_task("send").retries = 1
    assert (outcome.state, outcome.tries["send"]) == ("success", 3)
    assert held() == VALUES
    assert journal(outcome) == (outcome.xcom("send")["requests"], None)


@TASK_STATE_STORE
def test_a_cleared_task_sends_everything_again_and_its_retry_does_not(dag, held, sandbox):
    throttle(sandbox, after=3, times=2)
    failed = run(dag)
    assert (failed.state, failed.tries["send"]) == ("failed", 2)
    assert journal(failed) == (3, None)
    before = held()
    assert before == VALUES[: len(before)]

    sandbox.reset()
    throttle(sandbox, after=2)
    outcome = clear_and_run(dag, failed, "send")
    assert (outcome.state, outcome.tries["send"]) == ("success", 4)
    assert held() == VALUES
    assert journal(outcome) == (outcome.xcom("send")["requests"], None)


@TASK_STATE_STORE
def test_a_retry_does_not_send_what_may_have_been_summed(dag, held, sandbox):
    sandbox.faults({"kind": "apply_then_lose_reply", "skip": 3})
    outcome = run(dag)
    assert (outcome.state, outcome.tries["send"]) == ("failed", 1)
    [error] = outcome.errors["send"]
    assert isinstance(error, AmbiguousWriteError)
    assert isinstance(error, AirflowFailException)
    acknowledged, intent = journal(outcome)
    assert (acknowledged, len(intent)) == (3, 64)
    before = held()
    assert before == VALUES[: len(before)]
    assert len(statuses(sandbox)) == 4
