"""Tasks with links and asset events."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import Asset, dag, task

from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator
from cloudzero_provider.operators.telemetry import TelemetrySendOperator


@dag(schedule=None)
def shown():
    @task
    def bill(dag_run=None):
        return [{"time/usage_start": "2026-03-01", "cost/cost": cost} for cost in dag_run.conf["costs"]]

    AnyCostBillingDropOperator(task_id="send_bill", month="2026-03", records=bill(), outlets=[Asset("cloudzero-bill")])
    TelemetrySendOperator(
        task_id="send_metric",
        stream_name="shown",
        stream_type="metric",
        records=[{"timestamp": "2026-03-01", "value": 5}],
        outlets=[Asset("cloudzero-metric"), Asset("cloudzero-all")],
    )


@dag(schedule=None)
def linked():
    """Fails before its first request, wherever the connection leads."""
    AnyCostBillingDropOperator(task_id="send_bill", month="2026-03", records=[{"cost/cost": "1,5"}])


shown()
linked()
