"""Tasks with ``operation="sum"``, retries, and only a few rows per request."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import dag, task

from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator
from cloudzero_provider.operators.telemetry import TelemetrySendOperator

MONTH = "2026-03"
RETRIES = {"cloudzero_conn_id": "cloudzero_impatient", "operation": "sum", "retries": 1, "retry_delay": 0}


@dag(schedule=None)
def sum_of_telemetry():
    @task
    def measure():
        return [{"timestamp": f"{MONTH}-{day:02}", "element_name": "a", "value": 2**day} for day in range(1, 21)]

    TelemetrySendOperator(
        task_id="send",
        stream_name="sums",
        stream_type="allocation",
        granularity="DAILY",
        records=measure(),
        max_batch_records=3,
        **RETRIES,
    )


@dag(schedule=None)
def sum_of_drops():
    @task
    def bill():
        return [{"time/usage_start": f"{MONTH}-{day:02}T00:00:00Z", "cost/cost": 2**day} for day in range(1, 21)]

    AnyCostBillingDropOperator(task_id="send", month=MONTH, records=bill(), max_body_bytes=250, **RETRIES)


sum_of_telemetry()
sum_of_drops()
