"""What a program runs in, besides its process: a folder for Airflow, a sandbox CloudZero on this machine."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

from benchmarks.model import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "key-of-the-benchmarks"
STREAM = "1234abcd-1234-abcd-1234-abcd1234efgh"
#: The variable that holds the address of the sandbox.
ADDRESS = "CLOUDZERO_BENCH_ADDRESS"
#: No server listens here: the first request of a task is refused at once.
_NOBODY = "http://127.0.0.1:9"


@contextmanager
def airflow() -> Iterator[dict[str, str]]:
    """Give Airflow an empty folder, and a connection on which every request is refused."""
    with tempfile.TemporaryDirectory(prefix="cloudzero-bench-airflow-") as home:
        yield {"AIRFLOW_HOME": home, "AIRFLOW_CONN_CLOUDZERO_DEFAULT": _connection(_NOBODY)}


@contextmanager
def sandbox() -> Iterator[dict[str, str]]:
    """Start a sandbox without data, and give Airflow a connection to it."""
    with airflow() as variables, tempfile.TemporaryDirectory(prefix="cloudzero-bench-sandbox-") as data:
        command = [sys.executable, "-m", "cloudzero_provider.sandbox", "--port", "0", "--data", data, "--api-key", KEY]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                address = process.stdout.readline().rsplit(" at ", 1)[-1].strip()
                yield {**variables, ADDRESS: address, "AIRFLOW_CONN_CLOUDZERO_DEFAULT": _connection(address)}
            finally:
                process.send_signal(signal.SIGTERM)


def _connection(address: str) -> str:
    extra = {"anycost_connection_id": STREAM, "max_retry_seconds": 0, "settle_seconds": 0}
    return json.dumps({"conn_type": "cloudzero", "host": address, "password": KEY, "extra": extra})
