"""Telemetry, on every line of Airflow."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import dag, task

from cloudzero_provider.operators.telemetry import TelemetrySendOperator


@dag(schedule=None)
def telemetry_replaced():
    @task
    def measure(dag_run):
        return [
            {"timestamp": f"2026-03-{day:02}", "value": value, "associated_cost": {"custom:Team": "{{ 1/0 }}"}}
            for day, value in enumerate(dag_run.conf["values"], start=1)
        ]

    TelemetrySendOperator(
        task_id="send",
        stream_name="replaced",
        stream_type="metric",
        month="{{ dag_run.conf.get('month', '2026-03') }}",
        records=measure(),
        retries=1,
        retry_delay=0,
    )


telemetry_replaced()
