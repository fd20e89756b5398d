"""Tasks with ``operation="sum"``, retries, and only a few rows per request."""

from __future__ import annotations

from airflow.sdk import dag

from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator
from cloudzero_provider.operators.telemetry import TelemetrySendOperator

DAYS = range(1, 21)
SUM = {
    "cloudzero_conn_id": "cloudzero_impatient",
    "task_id": "send",
    "operation": "sum",
    "retries": 2,
    "retry_delay": 0,
}


@dag(schedule=None)
def sum_of_telemetry():
    TelemetrySendOperator(
        stream_name="sums",
        stream_type="allocation",
        granularity="DAILY",
        records=[{"timestamp": f"2026-03-{day:02}", "element_name": "a", "value": 2**day} for day in DAYS],
        max_batch_records=3,
        **SUM,
    )


@dag(schedule=None)
def sum_of_drops():
    AnyCostBillingDropOperator(
        month="2026-03",
        records=[{"time/usage_start": f"2026-03-{day:02}", "cost/cost": 2**day} for day in DAYS],
        max_body_bytes=250,
        **SUM,
    )


sum_of_telemetry()
sum_of_drops()
