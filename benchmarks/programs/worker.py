"""Run an operator as a worker does, without a scheduler and a database."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any


class TaskInstance:
    """A task instance that is alone in its DAG run, with the XComs that it pushes."""

    dag_id, run_id, map_index, try_number, max_tries = "benchmark", "run", -1, 1, 0

    def __init__(self, task_id: str) -> None:
        self.task_id = task_id
        self._xcoms: dict[str, Any] = {}

    def xcom_push(self, *, key: str, value: Any) -> None:
        """Keep a value."""
        self._xcoms[key] = value

    def xcom_pull(self, *, task_ids: list[str], key: str) -> list[Any]:
        """Return what was kept."""
        return [self._xcoms[key]] if self.task_id in task_ids and key in self._xcoms else []

    def get_task_states(self, **_: Any) -> dict[str, Any]:
        """Return the state of the only task."""
        return {self.run_id: {self.task_id: "running"}}


def execute(task: Any) -> dict[str, Any]:
    """
    Execute a task.

    :return: its summary.
    """
    dag = SimpleNamespace(tasks=[task], get_task=lambda _: task)
    summary: dict[str, Any] = task.execute(
        {"ti": TaskInstance(task.task_id), "task": task, "dag_run": None, "dag": dag}
    )
    return summary
