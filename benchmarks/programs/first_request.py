"""A task up to its first request, which is refused, in a process that has loaded Airflow and the DAG file."""

from __future__ import annotations

from typing import TYPE_CHECKING

# The process of a task has these loaded.
import airflow.sdk.execution_time.supervisor  # noqa: F401
import airflow.sdk.execution_time.task_runner  # noqa: F401

from benchmarks.programs.worker import execute
from cloudzero_provider.exceptions import CloudZeroConnectionError
from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator

if TYPE_CHECKING:
    from benchmarks.model import Input, Sink, Work

ROW = {"time/usage_start": "2026-03-16T13:00:00Z", "cost/cost": "12"}


def prepare(given: Input | None) -> Work:  # noqa: ARG001 - it reads nothing
    """Return what executes the task."""
    task = AnyCostBillingDropOperator(task_id="send", month="2026-03", records=[ROW])

    def work(sink: Sink) -> None:  # noqa: ARG001 - it makes no bodies
        try:
            execute(task)
        except CloudZeroConnectionError:
            return
        raise RuntimeError("something listens on the port that was to refuse")

    return work
