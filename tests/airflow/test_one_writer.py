"""One instance of a sending task at a time, unless the user says otherwise: as the scheduler sees it."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import DAG, TaskGroup
from lines import scheduler_dag
from runs import cleared_and_chosen, run

from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator, AnyCostBillingDropReadOperator

LIMIT = "max_active_tis_per_dag"


def plain(**arguments):
    return AnyCostBillingDropOperator(task_id="send", records=[], **arguments)


def mapped(**arguments):
    return AnyCostBillingDropOperator.partial(task_id="send", **arguments).expand(month=["2026-01", "2026-02"])


def mapped_kwargs(**arguments):
    return AnyCostBillingDropOperator.partial(task_id="send", **arguments).expand_kwargs([{"month": "2026-01"}])


def limit(make, default_args=None, **arguments):
    """The limit on the task itself, and on what the scheduler reads from the database."""
    with DAG("one_writer", schedule=None, default_args=default_args or {}):
        task = make(**arguments)
    seen = scheduler_dag(task.dag).get_task("send")
    assert seen.max_active_tis_per_dag == task.max_active_tis_per_dag
    return seen.max_active_tis_per_dag


@pytest.mark.parametrize("make", [plain, mapped, mapped_kwargs])
class TestLimit:
    def test_is_one(self, make):
        assert limit(make) == 1

    def test_users_value_wins(self, make):
        assert limit(make, **{LIMIT: 3}) == 3

    def test_users_none_wins(self, make):
        assert limit(make, **{LIMIT: None}) is None

    def test_default_args_win(self, make):
        assert limit(make, {LIMIT: 4}) == 4

    def test_none_in_default_args_wins(self, make):
        assert limit(make, {LIMIT: None}) is None

    def test_default_args_of_a_task_group_win(self, make):
        with DAG("one_writer", schedule=None), TaskGroup("outer", default_args={LIMIT: 5}), TaskGroup("inner"):
            task = make()
        assert scheduler_dag(task.dag).get_task("outer.inner.send").max_active_tis_per_dag == 5

    def test_default_args_of_the_task_win(self, make):
        with DAG("one_writer", schedule=None, default_args={LIMIT: 4}):
            task = make(default_args={LIMIT: 3})
        assert scheduler_dag(task.dag).get_task("send").max_active_tis_per_dag == 3

    def test_users_value_wins_over_default_args(self, make):
        assert limit(make, {LIMIT: 4}, **{LIMIT: 2}) == 2

    def test_other_default_args_change_nothing(self, make):
        assert limit(make, {"retries": 4}) == 1


def test_reading_has_no_limit():
    with DAG("one_reader", schedule=None):
        task = AnyCostBillingDropReadOperator(task_id="read", path="month.csv")
    assert task.max_active_tis_per_dag is None


def test_the_scheduler_runs_one_mapped_instance_at_a_time(dags):
    dag = dags["months_mapped"]
    done = run(dag, run_conf={"months": ["2026-01", "2026-02", "2026-03"]})
    assert cleared_and_chosen(dag, done, "send", "send_side_by_side") == {"send": 1, "send_side_by_side": 3}
