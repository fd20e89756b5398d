"""Send, then wait, in each mode: with enough time, with too little, and with too little and soft_fail."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import Asset, dag, task

from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator
from cloudzero_provider.operators.telemetry import TelemetrySendOperator
from cloudzero_provider.sensors.anycost import AnyCostBillingDropSensor
from cloudzero_provider.sensors.telemetry import CloudZeroStreamStatusSensor

MODES = {
    "poke": {"mode": "poke", "deferrable": False},
    "reschedule": {"mode": "reschedule", "deferrable": False},
    "deferrable": {"deferrable": True},
}
TIMES = {"in_time": {"timeout": 60}, "too_late": {"timeout": 1}, "too_late_softly": {"timeout": 1, "soft_fail": True}}
RETRIES = {"retries": 1, "retry_delay": 0}


def define(dag_id, waiting):
    waiting = {"task_id": "wait", "poke_interval": 1, **RETRIES, **waiting}

    @dag(dag_id=f"wait_for_stream_{dag_id}", schedule=None)
    def wait_for_stream():
        @task
        def measure(dag_run=None):
            return [{"timestamp": "2026-03-01", "value": value} for value in dag_run.conf["values"]]

        send = TelemetrySendOperator(
            task_id="send", stream_name="waited-for", stream_type="metric", records=measure(), on_duplicate="sum"
        )
        CloudZeroStreamStatusSensor(summary=send.output, **waiting)

    @dag(dag_id=f"wait_for_drop_{dag_id}", schedule=None)
    def wait_for_drop():
        @task
        def bill(dag_run=None):
            return [{"time/usage_start": "2026-03-01", "cost/cost": value} for value in dag_run.conf["values"]]

        send = AnyCostBillingDropOperator(
            task_id="send", month="2026-03", records=bill(), min_rows_ratio=0, outlets=[Asset("cloudzero-march")]
        )
        AnyCostBillingDropSensor(summary=send.output, **waiting)

    wait_for_stream()
    wait_for_drop()


for mode, way in MODES.items():
    for name, time in TIMES.items():
        define(f"{mode}_{name}", {**way, **time})
