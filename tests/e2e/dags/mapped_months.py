"""36 mapped months: one writer by default, and several if the user allows it."""

from __future__ import annotations

from airflow.sdk import dag, task

from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator

MONTHS = [f"{year}-{month:02d}" for year in (2023, 2024, 2025) for month in range(1, 13)]


@task
def bills(months: list[str]) -> list[dict]:
    """One set of arguments per month; each month has its own cost."""
    return [
        {
            "month": month,
            "records": [
                {"time/usage_start": f"{month}-{day:02d}", "cost/cost": f"{month.replace('-', '.')}"}
                for day in range(1, 29)
            ],
        }
        for month in months
    ]


@dag(schedule=None)
def one_writer():
    AnyCostBillingDropOperator.partial(task_id="send").expand_kwargs(bills(MONTHS))


@dag(schedule=None)
def many_writers():
    AnyCostBillingDropOperator.partial(task_id="send", max_active_tis_per_dag=None).expand_kwargs(bills(MONTHS[:8]))


one_writer()
many_writers()
