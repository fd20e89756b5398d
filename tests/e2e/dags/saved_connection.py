"""Tasks that use a connection saved in the form: some send, some refuse their rows."""

from __future__ import annotations

from airflow.sdk import dag

from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator
from cloudzero_provider.operators.telemetry import TelemetrySendOperator

CONNECTION = {"cloudzero_conn_id": "saved_in_the_form"}
BILL = [
    {"time/usage_start": "2026-03-01T00:00:00Z", "cost/cost": "1.25", "lineitem/description": "first"},
    {"time/usage_start": "2026-03-31T23:00:00Z", "cost/cost": "-0.05", "lineitem/description": "last"},
]
ORDERS = {"stream_name": "orders", "stream_type": "metric"}


@dag(schedule=None)
def saved_connection():
    AnyCostBillingDropOperator(task_id="bill", month="2026-03", records=BILL, **CONNECTION)
    TelemetrySendOperator(task_id="orders", records=[{"timestamp": "2026-03-01", "value": 7}], **ORDERS, **CONNECTION)


@dag(schedule=None)
def refused_rows():
    AnyCostBillingDropOperator(task_id="bill", month="2026-03", records=[{"cost/cost": "much"}], **CONNECTION)
    TelemetrySendOperator(task_id="orders", records=[{"value": "many"}], **ORDERS, **CONNECTION)


saved_connection()
refused_rows()
