"""Tasks with ``operation="sum"`` in a complete Airflow: retries by its scheduler, and a killed worker."""

from __future__ import annotations

import json
import os
import signal

import pytest
from e2e.dags.sum_retries import DAYS
from support.airflow_database import ask
from support.airflow_rest import finished, run, trigger

VALUES = [2**day for day in DAYS]
DAG_IDS = ["sum_of_telemetry", "sum_of_drops"]


def tries(airflow, dag_id):
    [(count,)] = ask(airflow, "SELECT try_number FROM task_instance WHERE dag_id = ? ORDER BY id DESC LIMIT 1", dag_id)
    return count


def journal(airflow, dag_id):
    """How many requests were acknowledged, and the digest of the one in flight."""
    query = "SELECT value FROM task_state_store WHERE dag_id = ? ORDER BY id DESC LIMIT 1"
    [(stored,)] = ask(airflow, query, dag_id)
    return json.loads(stored)["acknowledged"], json.loads(stored)["intent"]


def held(sandbox, dag_id):
    """The values that CloudZero holds."""
    if dag_id == "sum_of_telemetry":
        records = sandbox.records("sums")
        return sorted(int(record["value"]) for record in records)
    return sorted(int(row["cost/cost"]) for row in sandbox.rows("2026-03"))


def count_held(sandbox, dag_id):
    """How many values CloudZero holds, even while a request is in flight."""
    if dag_id == "sum_of_telemetry":
        return (sandbox.telemetry("sums") or {"records": 0})["records"]
    return sandbox.months().get("2026-03", {"rows": 0})["rows"]


def posts(sandbox):
    return [request["status"] for request in sandbox.posts()]


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_a_retry_skips_what_was_acknowledged(airflow, sandbox, dag_id):
    sandbox.faults({"kind": "refuse", "status": 429, "skip": 3})
    assert run(airflow, dag_id).state == "success"
    assert tries(airflow, dag_id) == 2
    assert held(sandbox, dag_id) == VALUES
    assert posts(sandbox)[:4] == [200, 200, 200, 429]
    assert set(posts(sandbox)[4:]) == {200}
    assert journal(airflow, dag_id) == (len(posts(sandbox)) - 1, None)


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_nothing_is_sent_again_after_a_kill_during_a_request(airflow, sandbox, dag_id):
    sandbox.faults({"kind": "slow", "seconds": 2, "skip": 3})
    run_id = trigger(airflow, dag_id)
    airflow.wait("the fourth request", lambda: count_held(sandbox, dag_id) > 9, limit=60, pause=0.1)
    [(pid,)] = ask(airflow, "SELECT pid FROM task_instance WHERE dag_id = ? AND state = 'running'", dag_id)
    os.kill(pid, signal.SIGKILL)
    count = count_held(sandbox, dag_id)
    ended = finished(airflow, dag_id, run_id)
    assert ended.state == "failed"
    assert tries(airflow, dag_id) == 2
    airflow.wait("the end of the fourth request", lambda: len(posts(sandbox)) == 4, limit=30)
    assert held(sandbox, dag_id) == VALUES[:count]
    acknowledged, intent = journal(airflow, dag_id)
    assert (acknowledged, len(intent)) == (3, 64)
    log = airflow.task_logs(dag_id, ended)[-1].read_text()
    assert "AmbiguousWriteError" in log
    assert "request 4 (the same in this attempt) was in flight" in log
