"""Operators without a month, on the schedules that people give them."""

from __future__ import annotations

from airflow.sdk import CronDataIntervalTimetable, dag

from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator

ROWS = [{"time/usage_start": "2026-03-15T00:00:00Z", "cost/cost": "7.5"}]


@dag(schedule="@monthly", catchup=False)
def month_of_plain_cron():
    AnyCostBillingDropOperator(task_id="send", records=ROWS, retries=1, retry_delay=0)


@dag(schedule=CronDataIntervalTimetable("@monthly", timezone="UTC"), catchup=False)
def month_of_interval():
    AnyCostBillingDropOperator(task_id="send", records=ROWS)


@dag(schedule=CronDataIntervalTimetable("@daily", timezone="UTC"), catchup=False)
def month_of_day():
    AnyCostBillingDropOperator(task_id="send", records=ROWS)


month_of_plain_cron()
month_of_interval()
month_of_day()
