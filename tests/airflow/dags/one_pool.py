"""Two tasks that send to one stream, in a pool and without."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import dag

from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator


@dag(schedule=None)
def one_pool():
    for task_id in ("estimate", "credits"):
        rows = [{"time/usage_start": "2026-03-01", "cost/cost": "1"}]
        for suffix, pool in (("", "default_pool"), ("_in_pool", "cloudzero_shared")):
            AnyCostBillingDropOperator(
                task_id=task_id + suffix, pool=pool, month="2026-03", records=rows, replace_in_same_run=True
            )


one_pool()
