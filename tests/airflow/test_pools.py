"""``cloudzero-provider create-pools`` and what the scheduler does with such a pool."""

from __future__ import annotations

import json

import pytest
from airflow.models.pool import Pool
from airflow.utils.session import create_session
from support.airflow_runs import cleared_and_chosen, run as run_dag
from support.command_line import run, run_json
from support.paths import environment
from support.sandbox_server import STREAM

POOL = f"cloudzero_{STREAM}"


@pytest.fixture(autouse=True)
def _pools_of_this_airflow(monkeypatch):
    # Processes that a command starts import this package, too.
    for name, value in environment().items():
        monkeypatch.setenv(name, value)


@pytest.fixture(autouse=True)
def _no_pools():
    yield
    with create_session() as session:
        session.query(Pool).filter(Pool.pool.startswith("cloudzero_")).delete(synchronize_session=False)


def stored():
    """The slots and descriptions of the pools in Airflow's database, without its own."""
    return {pool.pool: (pool.slots, pool.description) for pool in Pool.get_pools() if pool.pool != "default_pool"}


def keep_slots_while_deferred():
    return {pool.pool for pool in Pool.get_pools() if pool.include_deferred}


def statuses(result):
    return [(pool["pool"], pool["slots"], pool["status"]) for pool in result["pools"]]


def test_pools_are_created_once_and_never_changed():
    Pool.create_or_update_pool("cloudzero_wide", slots=4, description="mine", include_deferred=False)
    dry = run_json("create-pools", "orders", "wide", "--conn-id", "cloudzero_default", "--dry-run", code=1)
    wide = ("cloudzero_wide", 4, "other slots")
    assert statuses(dry) == [("cloudzero_orders", None, "missing"), wide, (POOL, None, "missing")]
    assert stored() == {"cloudzero_wide": (4, "mine")}

    twice = ["--conn-id", "cloudzero_default"] * 2
    created = run_json("create-pools", "orders", "wide", *twice, code=1)
    assert statuses(created) == [("cloudzero_orders", 1, "created"), wide, (POOL, 1, "created")]
    assert stored() == {
        "cloudzero_orders": (1, "One writer at a time on the CloudZero stream orders"),
        POOL: (1, f"One writer at a time on the CloudZero stream {STREAM}"),
        "cloudzero_wide": (4, "mine"),
    }

    again = run("create-pools", "orders", "wide", code=1)
    assert [line.split() for line in again.stdout.splitlines()[1:]] == [
        ["cloudzero_orders", "1", "exists"],
        ["cloudzero_wide", "4", "other", "slots"],
    ]
    assert "cloudzero_wide has 4 slots, so several tasks in it run at once. It was not changed" in again.stderr


def test_a_pool_without_deferred_tasks_is_not_what_was_asked_for():
    Pool.create_or_update_pool("cloudzero_orders", slots=1, description="mine", include_deferred=False)
    Pool.create_or_update_pool("cloudzero_wide", slots=4, description="mine", include_deferred=True)
    asked = run("create-pools", "orders", "wide", "clicks", "--include-deferred", code=1)
    assert [line.split(maxsplit=2)[2] for line in asked.stdout.splitlines()[1:]] == [
        "without deferred tasks",
        "other slots",
        "created",
    ]
    for name in ("orders", "wide"):
        assert f'airflow pools set cloudzero_{name} 1 "one writer" --include-deferred does that' in asked.stderr
    assert keep_slots_while_deferred() == {"cloudzero_wide", "cloudzero_clicks"}
    assert statuses(run_json("create-pools", "orders", code=0)) == [("cloudzero_orders", 1, "exists")]
    # What Airflow's command would turn off is kept.
    assert "--include-deferred does that" in run("create-pools", "wide", code=1).stderr


def test_a_pool_without_a_slot_runs_nothing():
    Pool.create_or_update_pool("cloudzero_orders", slots=0, description="mine", include_deferred=False)
    assert "cloudzero_orders has 0 slots, so no task in it runs. " in run("create-pools", "orders", code=1).stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "No stream"),
        (["a/b"], "'a/b' is neither the id of an AnyCost stream nor the name of a telemetry stream"),
        (["a" * 247], "at most 246"),
        (["--conn-id", "gone"], "Airflow has no connection 'gone'."),
        (["--conn-id", "cloudzero_plain"], "names no AnyCost stream in its extra"),
    ],
)
def test_wrong_usage(arguments, said, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_CLOUDZERO_PLAIN", json.dumps({"conn_type": "cloudzero", "password": "the-key"}))
    refused = run("create-pools", *arguments, code=2)
    assert said in refused.stderr
    assert "the-key" not in refused.output


def test_an_airflow_without_a_database_is_wrong_usage(monkeypatch, tmp_path):
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql://user:the-password@127.0.0.1:1/none")
    refused = run("create-pools", "orders", code=2)
    assert "`airflow pools export` failed. Is AIRFLOW_HOME that of your Airflow?" in refused.stderr
    assert "the-password" not in refused.output


def test_tasks_in_the_pool_of_a_stream_run_one_at_a_time(dags):
    assert run_json("create-pools", "shared", "--include-deferred") == {
        "ok": True,
        "pools": [{"pool": "cloudzero_shared", "stream": "shared", "slots": 1, "status": "created"}],
    }
    assert keep_slots_while_deferred() == {"cloudzero_shared"}
    names = ("estimate", "credits", "estimate_in_pool", "credits_in_pool")
    chosen = cleared_and_chosen(dags["one_pool"], run_dag(dags["one_pool"]), *names)
    assert {"estimate", "credits"} < chosen.keys()
    assert len(chosen) == 3
