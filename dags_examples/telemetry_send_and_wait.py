"""
Send a metric and wait until CloudZero has processed it, so that its cost per order can be used.

The sensor looks for exactly the records of this run. CloudZero takes hours, so it checks every 20 minutes and frees the
worker in between.

Needs Airflow 3.2 or later; on 3.0 and 3.1, import ``CronDataIntervalTimetable`` from ``airflow.timetables.interval``.
"""

from __future__ import annotations

from datetime import timedelta

from acme_usage import orders
from airflow.sdk import CronDataIntervalTimetable, dag, task

from cloudzero_provider.operators.telemetry import TelemetrySendOperator
from cloudzero_provider.sensors.telemetry import CloudZeroStreamStatusSensor


@dag(
    dag_id="telemetry_send_and_wait",
    schedule=CronDataIntervalTimetable("@daily", timezone="UTC"),
    catchup=False,
    tags=["cloudzero", "example"],
    doc_md=__doc__,
)
def telemetry_send_and_wait():
    @task
    def count_orders(data_interval_start) -> list[dict]:
        return [
            {"timestamp": f"{data_interval_start:%Y-%m-%d}", "value": count, "associated_cost": {"custom:Team": team}}
            for team, count in orders(data_interval_start).items()
        ]

    @task
    def use(seen: dict) -> str:
        return f"{seen['stream_name']} is {seen['status']}"

    send = TelemetrySendOperator(
        task_id="send_orders",
        stream_name="acme-orders-awaited",
        stream_type="metric",
        records=count_orders(),
    )
    wait = CloudZeroStreamStatusSensor(
        task_id="wait_for_orders",
        summary=send.output,
        poke_interval=timedelta(minutes=20).total_seconds(),
        timeout=timedelta(hours=24).total_seconds(),
    )
    use(wait.output)


telemetry_send_and_wait()
