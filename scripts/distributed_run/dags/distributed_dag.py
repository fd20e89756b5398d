"""
Sends every stream's month and waits for it: a run per month, two tasks per stream.

A pool with one slot per stream lets one task at a time send requests on it: the sending tasks of all months, and the
sensors, which hold their slot while they are deferred.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from airflow.sdk import CronPartitionTimetable, dag
from distributed_streams import BUCKET, DAG_ID, S3_CONNECTION, Given, Kind, Stream, given

from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator
from cloudzero_provider.operators.telemetry import TelemetrySendOperator
from cloudzero_provider.sensors.anycost import AnyCostBillingDropSensor
from cloudzero_provider.sensors.telemetry import CloudZeroStreamStatusSensor

GIVEN = given()
#: Longer than anything here waits, so that a sensor that is lost is found by the limit of the whole.
WAIT_SECONDS = 3600


def send_and_wait(stream: Stream, given: Given) -> None:
    """Make the two tasks of a stream."""
    common = {"pool": stream.pool}
    # The pool alone keeps writers apart.
    sending = {"files": f"s3://{S3_CONNECTION}@{BUCKET}/{stream.key('{{ dag_run.partition_key }}')}", **common}
    waiting = {"deferrable": True, "poke_interval": given.poke_seconds, "timeout": WAIT_SECONDS, **common}
    if stream.kind is Kind.BILL:
        bill = AnyCostBillingDropOperator(
            task_id=f"send_{stream.name}",
            anycost_connection_id=stream.name,
            max_body_bytes=given.body_bytes,
            max_active_tis_per_dag=None,
            **sending,
        )
        AnyCostBillingDropSensor(task_id=f"wait_for_{stream.name}", summary=bill.output, **waiting)
        return
    usage = TelemetrySendOperator(
        task_id=f"send_{stream.name}",
        stream_name=stream.name,
        stream_type=stream.kind.value,
        granularity="DAILY",
        max_batch_records=given.batch_records,
        max_active_tis_per_dag=None,
        **sending,
    )
    # A later month's records may fill the thousand that can be read.
    CloudZeroStreamStatusSensor(task_id=f"wait_for_{stream.name}", summary=usage.output, match="any", **waiting)


@dag(
    dag_id=DAG_ID,
    schedule=CronPartitionTimetable("0 6 3 * *", timezone="UTC", run_offset=-1, key_format="%Y-%m"),
    catchup=False,
    # Otherwise Airflow also schedules the newest month.
    end_date=datetime(2026, 1, 31, tzinfo=timezone.utc),
    max_active_tasks=1000,
    default_args={
        "retries": GIVEN.retries,
        "retry_delay": timedelta(seconds=GIVEN.retry_seconds),
        # A month's sensor comes before the next month's sending task.
        "weight_rule": "upstream",
    },
)
def distributed_streams():
    """Make all tasks."""
    for stream in GIVEN.streams():
        send_and_wait(stream, GIVEN)


distributed_streams()
