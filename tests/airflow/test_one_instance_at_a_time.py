"""One instance of a sending task at a time, unless the user sets another limit: what the scheduler reads and does."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import DAG, TaskGroup, task
from support.airflow_lines import scheduler_dag
from support.airflow_runs import cleared_and_chosen, run

from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator, AnyCostBillingDropReadOperator

LIMIT = "max_active_tis_per_dag"


def plain(**arguments):
    return AnyCostBillingDropOperator(task_id="send", records=[], **arguments)


def mapped(**arguments):
    return AnyCostBillingDropOperator.partial(task_id="send", **arguments).expand(month=["2026-01", "2026-02"])


def mapped_kwargs(**arguments):
    return AnyCostBillingDropOperator.partial(task_id="send", **arguments).expand_kwargs([{"month": "2026-01"}])


def rows():
    return []


def drop_function(**arguments):
    return task.cloudzero_billing_drop(task_id="send", **arguments)(rows)().operator


def telemetry_function(**arguments):
    stream = {"stream_name": "orders", "stream_type": "metric"}
    return task.cloudzero_telemetry(task_id="send", **stream, **arguments)(rows)().operator


def mapped_function(**arguments):
    return task.cloudzero_billing_drop(task_id="send", **arguments)(lambda of: []).expand(of=[1, 2]).operator


def mapped_function_kwargs(**arguments):
    decorated = task.cloudzero_telemetry(stream_name="orders", stream_type="metric")(lambda of, by: [])
    return decorated.override(task_id="send", **arguments).partial(by=1).expand_kwargs([{"of": 1}]).operator


OPERATORS = [plain, mapped, mapped_kwargs]
FUNCTIONS = [drop_function, telemetry_function, mapped_function, mapped_function_kwargs]


def limit(make, default_args=None, **arguments):
    """Return the limit of the task, which must equal what the scheduler reads from the database."""
    with DAG("one_writer", schedule=None, default_args=default_args or {}):
        made = make(**arguments)
    seen = scheduler_dag(made.dag).get_task("send")
    assert seen.max_active_tis_per_dag == made.max_active_tis_per_dag
    return seen.max_active_tis_per_dag


@pytest.mark.parametrize("make", OPERATORS + FUNCTIONS)
class TestLimit:
    def test_is_one(self, make):
        assert limit(make) == 1

    def test_the_users_value_overrides(self, make):
        assert limit(make, **{LIMIT: 3}) == 3

    def test_the_users_none_overrides(self, make):
        assert limit(make, **{LIMIT: None}) is None

    def test_default_args_override(self, make):
        assert limit(make, {LIMIT: 4}) == 4

    def test_none_in_default_args_overrides(self, make):
        assert limit(make, {LIMIT: None}) is None

    def test_default_args_of_a_task_group_override(self, make):
        with DAG("one_writer", schedule=None), TaskGroup("outer", default_args={LIMIT: 5}), TaskGroup("inner"):
            made = make()
        assert scheduler_dag(made.dag).get_task("outer.inner.send").max_active_tis_per_dag == 5

    def test_default_args_of_the_task_override(self, make):
        with DAG("one_writer", schedule=None, default_args={LIMIT: 4}):
            made = make(default_args={LIMIT: 3})
        assert scheduler_dag(made.dag).get_task("send").max_active_tis_per_dag == 3

    def test_the_users_value_overrides_default_args(self, make):
        assert limit(make, {LIMIT: 4}, **{LIMIT: 2}) == 2

    def test_other_default_args_change_nothing(self, make):
        assert limit(make, {"retries": 4}) == 1


def test_reading_has_no_limit():
    with DAG("one_reader", schedule=None):
        made = AnyCostBillingDropReadOperator(task_id="read", path="month.csv")
    assert made.max_active_tis_per_dag is None


def test_the_scheduler_runs_one_mapped_instance_at_a_time(dags):
    dag = dags["months_mapped"]
    done = run(dag, run_conf={"months": ["2026-01", "2026-02", "2026-03"]})
    assert cleared_and_chosen(dag, done, "send", "send_side_by_side") == {"send": 1, "send_side_by_side": 3}
