"""Operators on each kind of schedule, with and without a month."""

from __future__ import annotations

from datetime import datetime, timezone

from airflow.providers.common.compat.sdk import dag, task
from support.airflow_lines import CronDataIntervalTimetable

from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator

# Airflow 2 requires a start date for a schedule.
START = datetime(2020, 1, 1, tzinfo=timezone.utc)
ROWS = [{"time/usage_start": "2026-03-15T00:00:00Z", "cost/cost": "7.5"}]


def rows_of(month: str) -> list[dict[str, str]]:
    return [{"time/usage_start": f"{month}-{day:02}T00:00:00Z", "cost/cost": f"{day}.5"} for day in (1, 28)]


@dag(schedule="@monthly", start_date=START, catchup=False)
def month_of_plain_cron():
    AnyCostBillingDropOperator(task_id="send", records=ROWS, retries=1, retry_delay=0)


@dag(schedule=CronDataIntervalTimetable("@monthly", timezone="UTC"), start_date=START, catchup=False)
def month_of_interval():
    AnyCostBillingDropOperator(task_id="send", records=ROWS)


@dag(schedule=CronDataIntervalTimetable("@daily", timezone="UTC"), start_date=START, catchup=False)
def month_of_day():
    AnyCostBillingDropOperator(task_id="send", records=ROWS)


@dag(schedule=CronDataIntervalTimetable("@monthly", timezone="UTC"), start_date=START, catchup=False)
def months_of_intervals():
    @task
    def bill(data_interval_start):
        return rows_of(f"{data_interval_start:%Y-%m}")

    AnyCostBillingDropOperator(task_id="send", records=bill())


@dag(schedule="@monthly", start_date=START, catchup=False)
def month_that_is_given():
    AnyCostBillingDropOperator(task_id="send", month="2026-03", records=ROWS)


@dag(schedule=None)
def month_of_template():
    AnyCostBillingDropOperator(task_id="send", month="{{ dag_run.conf['month'] }}", records=ROWS)


@dag(schedule=CronDataIntervalTimetable("@monthly", timezone="UTC"), start_date=START, catchup=False)
def month_of_empty_template():
    AnyCostBillingDropOperator(task_id="send", month="{{ none }}", records=ROWS, retries=1, retry_delay=0)


@dag(schedule=None)
def months_mapped():
    @task
    def bills(dag_run):
        return [{"month": month, "records": rows_of(month)} for month in dag_run.conf["months"]]

    AnyCostBillingDropOperator.partial(task_id="send").expand_kwargs(bills())
    AnyCostBillingDropOperator.partial(task_id="send_side_by_side", max_active_tis_per_dag=None).expand(
        month=["2025-01", "2025-02", "2025-03"], records=[[]]
    )


month_of_plain_cron()
month_of_interval()
month_of_day()
months_of_intervals()
month_that_is_given()
month_of_template()
month_of_empty_template()
months_mapped()
