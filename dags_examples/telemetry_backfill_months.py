"""
The history of a metric, a month per run: what ``telemetry_cost_per_order`` sends day by day, for the time before it.

``airflow backfill create --dag-id telemetry_backfill_months --from-date 2026-01-01 --to-date 2026-03-31`` sends three
months. The records of a day are the daily DAG's, and ``replace`` overwrites: days that both send count once. CloudZero
accepts one request at a time on a stream, so pause the daily DAG meanwhile, or put both sending tasks into a pool with
one slot.

Needs Airflow 3.2 or later.
"""

from __future__ import annotations

from acme_usage import days, orders
from airflow.sdk import CronPartitionTimetable, dag, task

from cloudzero_provider.operators.telemetry import TelemetrySendOperator


@dag(
    dag_id="telemetry_backfill_months",
    # The key's format must be a month's: the timetable's own default is a whole date and time.
    schedule=CronPartitionTimetable("0 6 3 * *", timezone="UTC", run_offset=-1, key_format="%Y-%m"),
    catchup=False,
    tags=["cloudzero", "example"],
    doc_md=__doc__,
)
def telemetry_backfill_months():
    @task
    def count_orders(dag_run) -> list[dict]:
        return [
            {"timestamp": f"{day:%Y-%m-%d}", "value": count, "associated_cost": {"custom:Team": team}}
            for day in days(dag_run.partition_key)
            for team, count in orders(day).items()
        ]

    # The operator takes the month from the run's partition key, like 2026-03: a record of another month is an error,
    # and nothing is sent.
    TelemetrySendOperator(
        task_id="send_orders",
        stream_name="acme-orders",
        stream_type="metric",
        operation="replace",
        records=count_orders(),
    )


telemetry_backfill_months()
