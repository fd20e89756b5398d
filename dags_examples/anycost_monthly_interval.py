"""
A bill per month without partitions.

The run that is due on April 1 has a data interval that is exactly March, from which the operator takes its month. A
plain "@monthly" does not work: in Airflow 3 its data interval has no length.

Needs Airflow 2.11 or later.
"""

from __future__ import annotations

from acme_bill import month_rows, write_bill
from airflow.providers.common.compat.sdk import dag, task
from airflow.timetables.interval import CronDataIntervalTimetable
from pendulum import datetime

from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator


@dag(
    dag_id="anycost_monthly_interval",
    # From the 1st to the 1st, in UTC: an interval from the 3rd to the 3rd is not one month. If the vendor's bill is
    # complete only some days later, have make_bill fail until then, with retries.
    schedule=CronDataIntervalTimetable("@monthly", timezone="UTC"),
    start_date=datetime(2023, 1, 1),
    catchup=False,
    tags=["cloudzero", "example"],
    doc_md=__doc__,
)
def anycost_monthly_interval():
    @task
    def make_bill(data_interval_start=None) -> str:
        month = f"{data_interval_start:%Y-%m}"
        return write_bill(month_rows(month), f"acme-{month}.csv")

    AnyCostBillingDropOperator(task_id="send_bill", files=make_bill())


anycost_monthly_interval()
