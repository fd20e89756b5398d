"""Switches and numbers from templates, default_args, and the lists of mapped tasks."""

from __future__ import annotations

from collections import Counter

from airflow.providers.common.compat.sdk import dag, task

from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator
from cloudzero_provider.operators.telemetry import TelemetrySendOperator
from cloudzero_provider.sensors.anycost import AnyCostBillingDropSensor

MONTH = "2026-03"
#: How often a function was called, by the id of its DAG.
CALLS: Counter[str] = Counter()


def bill(days: int) -> list[dict[str, str]]:
    return [{"time/usage_start": f"{MONTH}-{day:02}", "cost/cost": "1.5"} for day in range(1, days + 1)]


@dag(schedule=None)
def switches_templated():
    AnyCostBillingDropOperator(
        task_id="send",
        month=MONTH,
        records=bill(3),
        check_only="{{ dag_run.conf['dry'] }}",
        verify="{{ dag_run.conf['verify'] }}",
        validate_with_cloudzero="{{ not dag_run.conf['dry'] }}",
        min_rows_ratio="{{ dag_run.conf['ratio'] }}",
        operation="\n{{ dag_run.conf['operation'] }}\n",
        on_empty="{{ 'fail' if dag_run.conf['dry'] else 'skip' }}",
    )


@dag(schedule=None, render_template_as_native_obj=True)
def switches_native():
    AnyCostBillingDropOperator(
        task_id="send",
        month=MONTH,
        records=bill(3),
        check_only="{{ dag_run.conf['dry'] }}",
        min_rows_ratio="{{ dag_run.conf['ratio'] }}",
    )


@dag(schedule=None)
def switches_mapped():
    AnyCostBillingDropOperator.partial(task_id="send", month=MONTH, records=bill(3)).expand(
        check_only=[True, "{{ dag_run.conf['dry'] }}", "no"]
    )


@dag(schedule=None)
def switches_of_upstream():
    @task
    def decide(dag_run):
        return dag_run.conf["dry"]

    AnyCostBillingDropOperator(task_id="send", month=MONTH, records=bill(3), check_only=decide())


@dag(schedule=None, default_args={"check_only": "no", "month": MONTH})
def switches_of_default_args():
    AnyCostBillingDropOperator(task_id="send", records=bill(3))


@dag(schedule=None)
def switches_of_function():
    @task.cloudzero_billing_drop(month=MONTH, check_only="{{ task.op_kwargs['dry'] }}")
    def send(dry):
        CALLS["switches_of_function"] += 1
        return bill(3)

    send(dry="{{ dag_run.conf['dry'] }}")


@dag(schedule=None)
def switches_of_function_mapped():
    @task.cloudzero_billing_drop(month=MONTH, check_only="{{ task.op_kwargs['dry'] }}")
    def send(dry):
        CALLS["switches_of_function_mapped"] += 1
        return bill(3)

    send.expand(dry=["true", "no"])


@dag(schedule=None)
def switches_of_telemetry():
    TelemetrySendOperator(
        task_id="send",
        stream_name="orders",
        stream_type="metric",
        records=[{"timestamp": f"{MONTH}-02", "value": 2, "associated_cost": {"custom:Product": "b"}}],
        clear_periods="{{ dag_run.conf['clear'] }}",
        operation="{{ dag_run.conf['operation'] }}",
        on_zero="{{ dag_run.conf['on_zero'] }}",
    )


@dag(schedule=None)
def switches_of_sensor():
    AnyCostBillingDropSensor(
        task_id="wait",
        month=MONTH,
        rows="{{ dag_run.conf['rows'] }}",
        mode="poke",
        poke_interval=0.1,
        timeout=0.5,
    )


switches_templated()
switches_native()
switches_mapped()
switches_of_upstream()
switches_of_default_args()
switches_of_function()
switches_of_function_mapped()
switches_of_telemetry()
switches_of_sensor()
