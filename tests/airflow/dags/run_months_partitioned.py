"""Runs whose partition key is a month, or is not."""

from __future__ import annotations

from airflow.sdk import CronPartitionTimetable, dag, task

from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator
from cloudzero_provider.operators.telemetry import TelemetrySendOperator


def partitioned(**more) -> CronPartitionTimetable:
    return CronPartitionTimetable("0 6 3 * *", timezone="UTC", run_offset=-1, **more)


@dag(schedule=partitioned(key_format="%Y-%m"), catchup=False)
def month_of_partition():
    @task
    def bill(dag_run):
        return [{"time/usage_start": f"{dag_run.partition_key}-15", "cost/cost": "7.5"}]

    AnyCostBillingDropOperator(task_id="send", records=bill())


@dag(schedule=partitioned(), catchup=False)
def month_of_partition_with_time():
    AnyCostBillingDropOperator(task_id="send", records=[{"time/usage_start": "2026-03-15", "cost/cost": "7.5"}])


@dag(schedule=partitioned(key_format="%Y-%m"), catchup=False)
def telemetry_wrong_month():
    @task
    def measure(dag_run):
        return [{"timestamp": f"{dag_run.partition_key}-30", "value": 1}, {"timestamp": "2025-12-01", "value": 2}]

    TelemetrySendOperator(
        task_id="send", stream_name="late", stream_type="metric", records=measure(), retries=1, retry_delay=0
    )


month_of_partition()
month_of_partition_with_time()
telemetry_wrong_month()
