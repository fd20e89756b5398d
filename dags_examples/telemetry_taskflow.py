"""
Records straight from a function: who writes how much to a database that products share.

The same records as those of telemetry_split_database, without a file between counting and sending.

Needs Airflow 2.11 or later.
"""

from __future__ import annotations

from acme_usage import database_writes
from airflow.providers.common.compat.sdk import dag, task
from airflow.timetables.interval import CronDataIntervalTimetable
from pendulum import datetime

DATABASE_ACCOUNT = "112233445566"


@dag(
    dag_id="telemetry_taskflow",
    schedule=CronDataIntervalTimetable("@daily", timezone="UTC"),
    start_date=datetime(2026, 1, 1),
    catchup=False,
    tags=["cloudzero", "example"],
    doc_md=__doc__,
)
def telemetry_taskflow():
    # The decorator's arguments are parameters of TelemetrySendOperator.
    @task.cloudzero_telemetry(
        stream_name="acme-database-writes",
        stream_type="allocation",
        granularity="DAILY",
        # CloudZero does not accept zero. A product without writes is deleted if it was sent before.
        on_zero="delete",
    )
    def send_writes(data_interval_start=None):
        for product, count in database_writes(data_interval_start).items():
            yield {
                "timestamp": f"{data_interval_start:%Y-%m-%d}",
                "element_name": product,
                "value": count,
                "filter": {"accounts": [DATABASE_ACCOUNT]},
            }

    send_writes()


telemetry_taskflow()
