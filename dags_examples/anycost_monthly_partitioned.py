"""
A bill per month, on a DAG that is partitioned by month.

On the 3rd of a month, the bill of the previous month is complete and is sent. The run's partition key is that month,
like ``2026-03``, from which the operator takes its month. Past months, or months that the vendor corrected:
``airflow backfill create --dag-id anycost_monthly_partitioned --from-date 2026-01-01 --to-date 2026-03-31``.

Needs Airflow 3.2 or later.
"""

from __future__ import annotations

from acme_bill import month_rows, write_bill
from airflow.sdk import CronPartitionTimetable, dag, task

from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator


@dag(
    dag_id="anycost_monthly_partitioned",
    # The key's format must be a month's: the timetable's own default is a whole date and time.
    schedule=CronPartitionTimetable("0 6 3 * *", timezone="UTC", run_offset=-1, key_format="%Y-%m"),
    catchup=False,
    tags=["cloudzero", "example"],
    doc_md=__doc__,
)
def anycost_monthly_partitioned():
    @task
    def make_bill(dag_run) -> str:
        month = dag_run.partition_key
        return write_bill(month_rows(month), f"acme-{month}.csv")

    AnyCostBillingDropOperator(task_id="send_bill", files=make_bill())


anycost_monthly_partitioned()
