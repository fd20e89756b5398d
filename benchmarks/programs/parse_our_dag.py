"""Parse a DAG file with all operators and sensors of the provider, in a process that has loaded Airflow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import airflow.dag_processing.processor  # noqa: F401 - what parses DAGs has it loaded

if TYPE_CHECKING:
    from benchmarks.model import Input, Sink, Work

DAG_FILE = """
from airflow.providers.common.compat.sdk import DAG
from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator, AnyCostBillingDropReadOperator
from cloudzero_provider.operators.telemetry import TelemetrySendOperator
from cloudzero_provider.sensors.anycost import AnyCostBillingDropSensor
from cloudzero_provider.sensors.telemetry import CloudZeroStreamStatusSensor

with DAG("benchmark", schedule=None):
    files = "s3://my_aws_conn@bucket/2026-03.parquet"
    send = AnyCostBillingDropOperator(task_id="send", month="2026-03", files=files)
    wait = AnyCostBillingDropSensor(task_id="wait", summary=send.output)
    read = AnyCostBillingDropReadOperator(task_id="read", month="2026-03", path="month.parquet")
    telemetry = TelemetrySendOperator(
        task_id="telemetry", stream_name="orders", stream_type="allocation", granularity="DAILY", files=files
    )
    status = CloudZeroStreamStatusSensor(task_id="status", summary=telemetry.output)
    send >> wait >> read
    telemetry >> status
"""


def prepare(given: Input | None) -> Work:  # noqa: ARG001 - it reads nothing
    """Return what parses the DAG file."""
    return parsing(DAG_FILE)


def parsing(dag_file: str) -> Work:
    """
    Return what parses a DAG file.

    :param dag_file: its text.
    """

    def work(sink: Sink) -> None:  # noqa: ARG001 - it makes no bodies
        exec(dag_file, {"__name__": "benchmark"})

    return work
