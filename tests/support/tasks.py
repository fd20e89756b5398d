"""Runs tasks as a worker does, in this process or in one that can be killed."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from support.sandbox_server import STREAM, SandboxServer
from support.state_stores import FileStore
from support.worker import Worker

#: Instead of 60 s, to keep tests short.
SETTLE_SECONDS = 0.8


class TaskInstance:
    """A running task instance that is alone in its DAG run, with the XComs that it has pushed."""

    dag_id, run_id, map_index = "dag", "run", -1

    def __init__(self, task_id: str, *, try_number: int, max_tries: int) -> None:
        self.task_id, self.try_number, self.max_tries = task_id, try_number, max_tries
        self.xcoms: dict[str, Any] = {}

    def xcom_push(self, *, key: str, value: Any) -> None:
        self.xcoms[key] = json.loads(json.dumps(value))

    def xcom_pull(self, *, task_ids: list[str], key: str) -> list[Any]:
        return [self.xcoms[key]] if self.task_id in task_ids and key in self.xcoms else []

    def get_task_states(self, *, dag_id: str, task_ids: list[str], run_ids: list[str]) -> dict[str, Any]:
        return {self.run_id: {self.task_id: "running"}}


def connection(sandbox: SandboxServer, *, key: str | None = None, **extra: Any) -> str:
    """An Airflow connection to the sandbox, as JSON."""
    defaults = {
        "anycost_connection_id": STREAM,
        "settle_seconds": SETTLE_SECONDS,
        "timeout": 20,
        "max_retry_seconds": 20,
    }
    fields = {"conn_type": "cloudzero", "host": sandbox.url, "password": key or sandbox.key}
    return json.dumps({**fields, "extra": {**defaults, **extra}})


def connect(monkeypatch: Any, sandbox: SandboxServer, **options: Any) -> None:
    """Make the sandbox the host of ``cloudzero_default``."""
    monkeypatch.setenv("AIRFLOW_CONN_CLOUDZERO_DEFAULT", connection(sandbox, **options))


def context(task: Any, *, try_number: int = 1, max_tries: int | None = None) -> dict[str, Any]:
    """The context that a worker passes to ``execute``, with the parts that the operators read."""
    tries = (task.retries or 0) if max_tries is None else max_tries
    ti = TaskInstance(task.task_id, try_number=try_number, max_tries=tries)
    return {"ti": ti, "task": task, "dag_run": None, "dag": SimpleNamespace(tasks=[task], get_task=lambda _: task)}


def send(
    *,
    try_number: int = 1,
    month: str | None = "2026-03",
    retries: int = 0,
    max_tries: int | None = None,
    store: Any = None,
    **arguments: Any,
) -> dict[str, Any]:
    """Run a sending task once; ``store``, or the path of a file, stands in for the task state store."""
    from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator

    task = AnyCostBillingDropOperator(task_id="send", month=month, retries=retries, **arguments)
    return _execute(task, try_number, max_tries, store)


def send_telemetry(
    *, try_number: int = 1, retries: int = 0, max_tries: int | None = None, store: Any = None, **arguments: Any
) -> dict[str, Any]:
    """Run a task that sends records of an allocation stream once."""
    from cloudzero_provider.operators.telemetry import TelemetrySendOperator

    stream = {"stream_name": "orders-per-team", "stream_type": "allocation", "granularity": "DAILY"}
    task = TelemetrySendOperator(task_id="send", retries=retries, **{**stream, **arguments})
    return _execute(task, try_number, max_tries, store)


def write_drop(
    *,
    bucket_path: str,
    try_number: int = 1,
    retries: int = 0,
    max_tries: int | None = None,
    month: str | None = "2026-03",
    **arguments: Any,
) -> dict[str, Any]:
    """Run a task that writes a bucket drop once."""
    from cloudzero_provider.operators.bucket import AnyCostBucketDropOperator

    task = AnyCostBucketDropOperator(
        task_id="write", bucket_path=bucket_path, month=month, retries=retries, **arguments
    )
    return task.execute(context(task, try_number=try_number, max_tries=max_tries))


def _execute(task: Any, try_number: int, max_tries: int | None, store: Any) -> dict[str, Any]:
    kept = {"task_state_store": FileStore(store) if isinstance(store, str) else store}
    return task.execute(context(task, try_number=try_number, max_tries=max_tries) | kept)


def read(**arguments: Any) -> dict[str, Any]:
    """Run a reading task once."""
    from cloudzero_provider.operators.anycost import AnyCostBillingDropReadOperator

    task = AnyCostBillingDropReadOperator(task_id="read", **{"month": "2026-03", **arguments})
    return task.execute(context(task))


def start_worker(run: str = "send", before: str = "", **arguments: Any) -> Worker:
    """
    Run a task in its own process, which a test can stop and kill.

    :param run: the function of this module that runs it.
    :param before: a statement that is executed first.
    """
    return Worker(run, arguments, before)
