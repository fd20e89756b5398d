"""
Every kind of request, in its own process, with its result, duration and peak memory.

Reads one job per line and writes one result per line. Memory is the peak that the kernel reports for the process.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

from support.sandbox_server import KEY, STREAM

BODY = b'{"month":"2026-03","operation":"replace_drop","data":[]}'


def kinds(client: Any) -> dict[str, Any]:
    from cloudzero_provider.anycost.readback import read_month
    from cloudzero_provider.client import Effect
    from cloudzero_provider.client.telemetry import StreamType, TelemetryOperation
    from cloudzero_provider.months import Month

    def telemetry(operation: TelemetryOperation) -> Any:
        return lambda: client.send_telemetry(StreamType.METRIC, "orders", operation, b'{"records":[]}')

    return {
        "send drop": lambda: client.send_drop(STREAM, BODY, effect=Effect.REPEATABLE),
        "add to drop": lambda: client.send_drop(STREAM, BODY, effect=Effect.ADDS_ROWS),
        "send telemetry": telemetry(TelemetryOperation.REPLACE),
        "add telemetry": telemetry(TelemetryOperation.SUM),
        "delete stream": lambda: client.delete_stream("orders"),
        "validate drop": lambda: client.validate_drop(BODY),
        "list drops": lambda: client.list_drops(STREAM),
        "list connections": lambda: client.list_connections(),
        "read month": lambda: read_month(client, STREAM, Month(2026, 3)),
        "submitted records": lambda: client.submitted_records("orders"),
        "processed records": lambda: client.processed_records("orders"),
        "test connection": lambda: tested(client.config.base_url),
        "trigger": lambda: triggered(client.config.base_url),
    }


def connect(url: str) -> None:
    extra = {"anycost_connection_id": STREAM, "timeout": 0.5, "settle_seconds": 0.1, "max_retry_seconds": 0.5}
    fields = {"conn_type": "cloudzero", "password": KEY, "host": url, "extra": extra}
    os.environ["AIRFLOW_CONN_CLOUDZERO_DEFAULT"] = json.dumps(fields)


def tested(url: str) -> None:
    from cloudzero_provider.hooks.cloudzero import CloudZeroHook

    connect(url)
    works, message = CloudZeroHook().test_connection()
    assert isinstance(message, str)
    if not works:
        raise ConnectionTestError(message)


class ConnectionTestError(Exception):
    """A failed connection test."""


def triggered(url: str) -> None:
    from cloudzero_provider.triggers.anycost import AnyCostBillingDropTrigger
    from support.waiting import first_event

    connect(url)
    trigger = AnyCostBillingDropTrigger(
        cloudzero_conn_id="cloudzero_default",
        poll_interval=0.1,
        deadline=time.time() + 0.5,
        anycost_connection_id=STREAM,
        month="2026-03",
    )
    event = first_event(trigger)
    if event["outcome"] != "done":
        raise WaitError(json.dumps(event))


class WaitError(Exception):
    """The event of a trigger whose wait failed."""


def memory(name: str) -> int:
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith(name))
    return int(line.split()[1]) * 1024


def measured(request: Any) -> dict[str, Any]:
    from cloudzero_provider.exceptions import CloudZeroError

    with open("/proc/self/clear_refs", "w") as forget:
        forget.write("5")
    before, began = memory("VmRSS"), time.monotonic()
    kind, words, ours = "done", "", True
    try:
        request()
    except Exception as error:
        kind, words = type(error).__name__, str(error)
        ours = isinstance(error, (CloudZeroError, ConnectionTestError, WaitError))
    seconds = time.monotonic() - began
    return {
        "ended": kind,
        "words": words,
        "typed": ours,
        "seconds": seconds,
        "megabytes": (memory("VmHWM") - before) / 1e6,
    }


def main() -> None:
    # Airflow logs to the standard output, where the results go.
    results = os.dup(1)
    os.dup2(2, 1)
    import cloudzero_provider.client.transport as transport
    import cloudzero_provider.triggers.anycost  # noqa: F401 - not while memory is measured
    from cloudzero_provider.anycost import readback  # noqa: F401
    from cloudzero_provider.client import Client

    for line in sys.stdin:
        job = json.loads(line)
        transport.MAX_FILE_BYTES = job["longest_file"]
        options = {"timeout": 0.5, "settle_seconds": 0.1, "max_retry_seconds": 0.5}
        client = Client(KEY, base_url=job["url"], **options)
        wanted = kinds(client)
        done = json.dumps({name: measured(wanted[name]) for name in job["kinds"] or wanted})
        os.write(results, f"{done}\n".encode())
        client.close()


if __name__ == "__main__":
    main()
