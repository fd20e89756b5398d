"""Tasks of the operators, run as a worker runs them, in this process or in one that can be killed."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sandbox_client import STREAM, SandboxServer

#: Stands in for 60 s, so that tests need not wait so long.
SETTLE_SECONDS = 1.5


@dataclass(frozen=True)
class Month:
    """A month of rows in a file, and what they amount to."""

    path: Path
    rows: int
    total: Decimal


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
    """Make ``cloudzero_default`` lead to the sandbox."""
    monkeypatch.setenv("AIRFLOW_CONN_CLOUDZERO_DEFAULT", connection(sandbox, **options))


def context(task: Any, *, try_number: int = 1, max_tries: int | None = None) -> dict[str, Any]:
    """What a worker hands to ``execute``, as far as the operators look at it."""
    tries = (task.retries or 0) if max_tries is None else max_tries
    ti = SimpleNamespace(try_number=try_number, max_tries=tries, xcom_push=lambda **_: None)
    return {"ti": ti, "task": task, "dag_run": None}


def send(*, try_number: int = 1, month: str | None = "2026-03", retries: int = 0, **arguments: Any) -> dict[str, Any]:
    """Run a sending task once."""
    from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator

    task = AnyCostBillingDropOperator(task_id="send", month=month, retries=retries, **arguments)
    return task.execute(context(task, try_number=try_number))


def read(**arguments: Any) -> dict[str, Any]:
    """Run a reading task once."""
    from cloudzero_provider.operators.anycost import AnyCostBillingDropReadOperator

    task = AnyCostBillingDropReadOperator(task_id="read", **{"month": "2026-03", **arguments})
    return task.execute(context(task))


def start_worker(**arguments: Any) -> subprocess.Popen[bytes]:
    """Run a sending task in a process of its own, which a test can kill."""
    program = "import json, sys; from tasks import send; send(**json.loads(sys.argv[1]))"
    return subprocess.Popen(
        [sys.executable, "-c", program, json.dumps(arguments)],
        cwd=Path(__file__).parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
