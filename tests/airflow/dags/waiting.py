"""Sending, and waiting for what was sent, in each of the ways that Airflow has."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import dag

from cloudzero_provider.operators.telemetry import TelemetrySendOperator
from cloudzero_provider.sensors.telemetry import CloudZeroStreamStatusSensor


def send_and_wait(**how):
    send = TelemetrySendOperator(
        task_id="send",
        stream_name="awaited",
        stream_type="metric",
        records=[{"timestamp": f"2026-03-{day:02}", "value": day} for day in range(1, 4)],
    )
    CloudZeroStreamStatusSensor(task_id="wait", summary=send.output, poke_interval=0.5, timeout=120, **how)


@dag(schedule=None)
def waits_in_a_trigger():
    send_and_wait(deferrable=True)


@dag(schedule=None)
def waits_rescheduled():
    send_and_wait(mode="reschedule")


@dag(schedule=None)
def waits_poking():
    send_and_wait(mode="poke")


waits_in_a_trigger()
waits_rescheduled()
waits_poking()
