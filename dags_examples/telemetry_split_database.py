"""
An allocation: the cost of a database that several products share, split by who writes how much.

The file has the columns of CloudZero's own CSV upload: every column that is not a field of a record is a filter. Here
``accounts`` says which part of the spend is split: that of the account in which the database runs.

Needs Airflow 3.2 or later; on 3.0 and 3.1, import ``CronDataIntervalTimetable`` from ``airflow.timetables.interval``.
"""

from __future__ import annotations

from acme_bill import write_csv
from acme_usage import database_writes
from airflow.sdk import CronDataIntervalTimetable, dag, task

from cloudzero_provider.operators.telemetry import TelemetrySendOperator

DATABASE_ACCOUNT = "112233445566"


@dag(
    dag_id="telemetry_split_database",
    schedule=CronDataIntervalTimetable("@daily", timezone="UTC"),
    catchup=False,
    tags=["cloudzero", "example"],
    doc_md=__doc__,
)
def telemetry_split_database():
    @task
    def count_writes(data_interval_start) -> str:
        day = f"{data_interval_start:%Y-%m-%d}"
        rows = [
            {"timestamp": day, "element_name": product, "value": count, "accounts": DATABASE_ACCOUNT}
            for product, count in database_writes(data_interval_start).items()
        ]
        # Only the path goes from task to task, so the tasks must share a disk, or use object storage.
        return write_csv(rows, f"acme-writes-{day}.csv", ("timestamp", "element_name", "value", "accounts"))

    TelemetrySendOperator(
        task_id="send_writes",
        stream_name="acme-database-writes",
        stream_type="allocation",
        granularity="DAILY",
        files=count_writes(),
        # CloudZero does not accept zero. A product without writes is deleted if it was sent before.
        on_zero="delete",
    )


telemetry_split_database()
