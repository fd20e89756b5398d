"""Bills, and workers that are stopped and continued, for tests of overlapping attempts of a task."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

from support.sandbox_server import SandboxServer
from support.worker import Worker

MONTH = "2026-03"
HOURS = 40
#: The size of a request with four hours of a bill.
BODY = 480
#: Seconds allowed for a busy machine to start a process.
PATIENCE = 300

Row = dict[str, str]


def bill(price: str = "1.5", hours: int = HOURS) -> list[Row]:
    """One row per hour, whose cost identifies the bill."""
    starts = (f"2026-03-{1 + hour // 24:02d}T{hour % 24:02d}:00:00Z" for hour in range(hours))
    return [{"time/usage_start": start, "cost/cost": price, "lineitem/type": "Usage"} for start in starts]


def held(sandbox: SandboxServer) -> list[Row]:
    """The rows that CloudZero holds after all requests have ended, by hour."""
    wait_until(lambda: all(request["ended"] for request in sandbox.requests()))
    return sorted(sandbox.held(MONTH), key=lambda row: (row["time/usage_start"], row["cost/cost"]))


def telemetry_held(sandbox: SandboxServer) -> dict[str, str]:
    """Element → value of the records that CloudZero holds."""
    return {record["element_name"]: str(record["value"]) for record in sandbox.records("orders-per-team")}


def records(value: int, count: int = 20) -> list[dict[str, Any]]:
    """Telemetry of one day."""
    return [{"timestamp": "2026-03-01", "element_name": f"team-{n:02d}", "value": value} for n in range(count)]


def wait_until(true: Callable[[], object], seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def hold(*, skip: int = 0, **which: Any) -> dict[str, Any]:
    """A fault that slows this request and all later ones, so that the sender can be observed."""
    return {"kind": "slow", "seconds": 1, "skip": skip, "times": 1000, **which}


@contextlib.contextmanager
def stopped(worker: Worker, sandbox: SandboxServer, when: Callable[[], object]) -> Iterator[None]:
    """Stop a process once a condition holds, for the block; then continue it without faults, and wait for its end."""
    try:
        wait_until(lambda: when() or worker.poll() is not None)
        assert worker.poll() is None
        worker.stop()
        sandbox.clear_faults()
        yield
        worker.wake()
        worker.wait(PATIENCE)
    finally:
        worker.kill()
        worker.wait()
