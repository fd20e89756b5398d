"""
The month to date, sent again every day: how to follow a month that is still open.

To repair a day, clear the newest run: it sends the earlier days too. An older run would send a shorter month.

Needs Airflow 3.2 or later; on 3.0 and 3.1, import ``CronDataIntervalTimetable`` from ``airflow.timetables.interval``.
"""

from __future__ import annotations

from acme_bill import month_rows, write_bill
from airflow.sdk import CronDataIntervalTimetable, dag, task

from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator


@dag(
    dag_id="anycost_daily_month_to_date",
    # A data interval of one day: a plain "@daily" has an interval of no length in Airflow 3.
    schedule=CronDataIntervalTimetable("@daily", timezone="UTC"),
    catchup=False,
    max_active_runs=1,
    tags=["cloudzero", "example"],
    doc_md=__doc__,
)
def anycost_daily_month_to_date():
    @task
    def make_bill_to_date(data_interval_start, data_interval_end) -> str:
        month = f"{data_interval_start:%Y-%m}"
        return write_bill(month_rows(month, until=data_interval_end), f"acme-{data_interval_start:%Y-%m-%d}.csv")

    # The whole month to date, not just the day: replace_drop replaces the month, so a day alone would delete the days
    # before it. Vendors also correct past days while the month is open; this way, the corrections arrive too.
    AnyCostBillingDropOperator(
        task_id="send_month_to_date",
        month="{{ data_interval_start | ds }}",
        files=make_bill_to_date(),
        operation="replace_drop",
    )


anycost_daily_month_to_date()
