"""Sensors in a real Airflow, in each mode: poke, reschedule and deferrable."""

from __future__ import annotations

import time

import pytest
from airflow.models import TaskInstance
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSensorTimeout
from airflow.utils.session import create_session
from support.airflow_runs import clear_and_run, run

from cloudzero_provider.exceptions import AuthenticationError

PROCESSED_AFTER = 3


@pytest.fixture(params=["poke", "reschedule", "deferrable"])
def mode(request):
    return request.param


@pytest.fixture(autouse=True)
def _processing_takes_seconds(sandbox):
    before = sandbox.current_settings()
    sandbox.settings(processed_after_seconds=PROCESSED_AFTER)
    yield
    sandbox.settings(**before)


def wait(dags, what, mode, name="in_time", values=(5,)):
    return run(dags[f"wait_for_{what}_{mode}_{name}"], run_conf={"values": list(values)})


def seconds_waited(outcome) -> float:
    with create_session() as session:
        ends = {
            ti.task_id: ti.end_date
            for ti in session.query(TaskInstance).filter_by(dag_id=outcome.dag_id, run_id=outcome.run_id)
        }
    return (ends["wait"] - ends["send"]).total_seconds()


def test_it_waits_for_this_batch_and_not_for_an_earlier_one(dags, sandbox, mode):
    wait(dags, "stream", mode, values=[5])
    outcome = wait(dags, "stream", mode, values=[6])
    assert outcome.states["wait"] == ["success"]
    assert seconds_waited(outcome) > PROCESSED_AFTER - 2
    assert outcome.xcom("wait") == {
        "stream_name": "waited-for",
        "status": "Available",
        "looked_for": 1,
        "submitted": 0,
        "processed": 1,
    }


def test_it_waits_for_a_drop_to_be_listed(dags, sandbox, mode):
    assert wait(dags, "drop", mode, values=[5]).xcom("wait")["rows"] == 1
    time.sleep(2.1)
    sandbox.settings(read_lag_seconds=2)
    outcome = wait(dags, "drop", mode, values=[6, 7])
    sandbox.settings(read_lag_seconds=0)
    assert outcome.states["wait"] == ["success"]
    found = outcome.xcom("wait")
    assert (found["month"], found["rows"], found["drop_id"]) == ("2026-03", 2, outcome.xcom("send")["drop_ids"][0])


def test_a_time_out_fails_the_task_and_is_not_retried(dags, sandbox, mode):
    sandbox.settings(processed_after_seconds=600)
    outcome = wait(dags, "stream", mode, "too_late")
    assert (outcome.state, outcome.states["wait"], outcome.tries["wait"]) == ("failed", ["failed"], 1)
    assert isinstance(outcome.errors["wait"][-1], AirflowSensorTimeout)


def test_a_time_out_with_soft_fail_skips_the_task(dags, sandbox, mode):
    sandbox.settings(processed_after_seconds=600)
    outcome = wait(dags, "stream", mode, "too_late_softly")
    assert (outcome.state, outcome.states["wait"]) == ("success", ["skipped"])


@pytest.mark.parametrize(("name", "state"), [("in_time", "failed"), ("too_late_softly", "skipped")])
def test_a_refused_key_ends_the_wait_at_once(dags, sandbox, mode, name, state):
    sandbox.faults({"kind": "refuse", "status": 403, "method": "GET", "times": 100})
    outcome = wait(dags, "stream", mode, name)
    assert (outcome.states["wait"], outcome.tries["wait"]) == ([state], 1)
    if state == "failed":
        error = outcome.errors["wait"][-1]
        assert isinstance(error, AuthenticationError)
        assert isinstance(error, AirflowFailException)


def test_a_stream_that_becomes_invalid_ends_the_wait(dags, sandbox, mode):
    sandbox.settings(records_status="word", invalid_streams="waited-for")
    assert wait(dags, "stream", mode).states["wait"] == ["failed"]
    assert wait(dags, "stream", mode, "too_late_softly").states["wait"] == ["skipped"]
    sandbox.settings(invalid_streams="")


def test_a_wait_that_is_cleared_sends_nothing(dags, sandbox, mode):
    outcome = wait(dags, "stream", mode)
    before = len([request for request in sandbox.requests() if request["method"] == "POST"])
    dag = dags[f"wait_for_stream_{mode}_in_time"]
    again = clear_and_run(dag, outcome, "wait")
    assert again.states["wait"] == ["success"]
    assert len([request for request in sandbox.requests() if request["method"] == "POST"]) == before
