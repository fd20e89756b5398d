"""Tasks of one DAG run that send to one month, in a complete Airflow: fixed DAGs, clears, parallel instances."""

from __future__ import annotations

from decimal import Decimal

import pytest
from support.airflow_database import ask
from support.airflow_rest import clear, finished, run

MONTH = "2024-09"
HEAD = """
from airflow.sdk import dag
from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator

FILES = {files}

@dag(schedule=None)
def {dag_id}():
    common = {{"month": "2024-09", "trigger_rule": "all_done"}}
"""
BROKEN = {
    "mapped": '    AnyCostBillingDropOperator.partial(task_id="send", **common).expand(files=FILES)',
    "two_tasks": '    AnyCostBillingDropOperator(task_id="send", files=FILES[0], **common) >> '
    'AnyCostBillingDropOperator(task_id="last", files=FILES[1], **common)',
}
FIXED = '    AnyCostBillingDropOperator(task_id="send", files=FILES, **common)'
SIDE_BY_SIDE = """
    AnyCostBillingDropOperator.partial(task_id="send", month="2024-09", max_active_tis_per_dag=None).expand(
        records=[[{"time/usage_start": "2024-09-01", "cost/cost": 2**number}] for number in range(8)]
    )
"""


@pytest.fixture(scope="module")
def folder(written_dags):
    folder = written_dags
    for number, costs in enumerate((["1", "1.5"], ["2", "2.5"]), start=1):
        rows = [f"{MONTH}-{day:02d},{cost}\n" for day, cost in enumerate(costs, start=1)]
        (folder / f"acct{number}.csv").write_text("time/usage_start,cost/cost\n" + "".join(rows))
    for dag_id, body in BROKEN.items():
        write_dag(folder, dag_id, body)
    write_dag(folder, "side_by_side", SIDE_BY_SIDE)
    return folder


def write_dag(folder, dag_id, body):
    files = [str(folder / "acct1.csv"), str(folder / "acct2.csv")]
    (folder / f"{dag_id}.py").write_text(f"{HEAD.format(files=files, dag_id=dag_id)}{body}\n\n{dag_id}()\n")


@pytest.fixture(scope="module")
def airflow(shared_airflow, folder):
    shared_airflow.wait("the DAGs", lambda: shared_airflow.is_up([*BROKEN, "side_by_side"]), limit=60)
    return shared_airflow


def states(airflow, dag_id):
    query = "SELECT task_id, map_index, state FROM task_instance WHERE dag_id = ? ORDER BY task_id DESC, map_index"
    return ask(airflow, query, dag_id)


def fix(airflow, folder, dag_id):
    """Change the DAG to one task that sends both files, and wait until Airflow has parsed it."""
    query = "SELECT count(*) FROM dag_version WHERE dag_id = ?"
    before = ask(airflow, query, dag_id)
    write_dag(folder, dag_id, FIXED)
    airflow.wait("the fixed DAG", lambda: ask(airflow, query, dag_id) != before, limit=60)


def held(sandbox):
    return sandbox.total_cost(MONTH)


@pytest.mark.parametrize("dag_id", BROKEN)
def test_a_refused_run_sends_everything_after_its_dag_is_fixed_and_cleared(airflow, sandbox, folder, dag_id):
    refused = run(airflow, dag_id)
    assert refused.state == "failed"
    assert sorted(state for *_, state in states(airflow, dag_id)) == ["failed", "success"]
    assert held(sandbox) in (Decimal("2.5"), Decimal("4.5"))

    fix(airflow, folder, dag_id)
    clear(airflow, dag_id, refused.run_id)
    # Airflow runs each instance of the formerly mapped task again: each now sends everything.
    assert finished(airflow, dag_id, refused.run_id).state == "success"
    assert {state for *_, state in states(airflow, dag_id)} <= {"success", "removed"}
    assert held(sandbox) == 7


def test_at_most_one_of_parallel_instances_sends(airflow, sandbox):
    sandbox.faults({"kind": "slow", "seconds": 2, "times": 50})
    run(airflow, "side_by_side")
    succeeded = [number for _, number, state in states(airflow, "side_by_side") if state == "success"]
    assert len(succeeded) <= 1
    assert [Decimal(month["total_cost"]) for month in sandbox.months().values()] == [2**number for number in succeeded]
