"""Telemetry on a schedule that says which month it is."""

from __future__ import annotations

from airflow.sdk import CronPartitionTimetable, dag, task

from cloudzero_provider.operators.telemetry import TelemetrySendOperator


@dag(schedule=CronPartitionTimetable("0 6 3 * *", timezone="UTC", run_offset=-1, key_format="%Y-%m"), catchup=False)
def telemetry_wrong_month():
    @task
    def measure(dag_run):
        return [{"timestamp": f"{dag_run.partition_key}-30", "value": 1}, {"timestamp": "2025-12-01", "value": 2}]

    TelemetrySendOperator(
        task_id="send", stream_name="late", stream_type="metric", records=measure(), retries=1, retry_delay=0
    )


telemetry_wrong_month()
