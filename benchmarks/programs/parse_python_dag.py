"""Parse a DAG file with as many tasks and sensors of Airflow's own, in a process that has loaded Airflow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.programs.parse_our_dag import parsing

if TYPE_CHECKING:
    from benchmarks.model import Input, Work

DAG_FILE = """
from airflow.providers.common.compat.sdk import DAG
from airflow.providers.standard.operators.python import PythonOperator
from airflow.providers.standard.sensors.python import PythonSensor

def call():
    return True

with DAG("benchmark", schedule=None):
    send = PythonOperator(task_id="send", python_callable=call)
    wait = PythonSensor(task_id="wait", python_callable=call)
    read = PythonOperator(task_id="read", python_callable=call)
    telemetry = PythonOperator(task_id="telemetry", python_callable=call)
    status = PythonSensor(task_id="status", python_callable=call)
    send >> wait >> read
    telemetry >> status
"""


def prepare(given: Input | None) -> Work:  # noqa: ARG001 - it reads nothing
    """Return what parses the DAG file."""
    return parsing(DAG_FILE)
