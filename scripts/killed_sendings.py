"""The tasks whose workers are killed: a month of drops or of telemetry, with a check of what CloudZero then holds."""

from __future__ import annotations

import csv
import json
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import requests
from support.sandbox_server import STREAM, SandboxServer
from support.state_stores import FileStore
from support.tasks import context, send

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from pathlib import Path

MONTH = "2026-03"
REQUESTS = 20
ELEMENTS = "orders-per-team"

Row = dict[str, str]


@dataclass(frozen=True)
class Sending:
    """
    A task that sends twenty requests.

    :param name: for the report.
    :param run: runs the task with a try number, and a folder to keep state in.
    :param prepare: stores other data in an empty sandbox, which must be replaced in the end.
    :param wrong: describes what is missing or too much in CloudZero; ``None`` if nothing is.
    :param digest: returns the sandbox's digest of the data.
    :param may_lack: whether a task that fails may leave something out (nothing may be counted twice).
    """

    name: str
    run: Callable[[int, Path], object]
    prepare: Callable[[], None]
    wrong: Callable[[], str | None]
    digest: Callable[[], str]
    may_lack: bool = False


def drops(sandbox: SandboxServer, folder: Path, draw: random.Random, *, giant_hour: bool) -> Sending:
    """Make a month of drops; with a giant hour, three of its requests are of one hour, and two of those ``sum``."""
    name = "a month with a giant hour" if giant_hour else "a month"
    path = folder / f"{name.replace(' ', '-')}.csv"
    per_hour = 24
    hours = sorted(draw.sample(range(31 * 24), 35 if giant_hour else 40))
    # Two hours fit in a request: eight requests, three for the giant hour, then nine.
    hours += [hours[16]] * 5 if giant_hour else []
    rows = [_row(draw, hour) for hour in hours for _ in range(per_hour)]
    draw.shuffle(rows)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    older = [_row(draw, hour) for hour in draw.sample(range(31 * 24), 60)]
    body_of_an_hour = per_hour * len(json.dumps(rows[0], separators=(",", ":")))
    arguments = {"files": str(path), "month": MONTH, "max_body_bytes": int(body_of_an_hour * 2.4)}

    def prepare() -> None:
        body = {"month": MONTH, "operation": "replace_drop", "data": older}
        url = f"{sandbox.url}/v2/connections/billing/anycost/{STREAM}/billing_drops"
        requests.post(url, json=body, headers={"Authorization": sandbox.key}, timeout=60).raise_for_status()

    def wrong() -> str | None:
        held = sandbox.rows(MONTH) if MONTH in sandbox.months() else []
        return _difference(Counter(map(_text, held)), Counter(map(_text, rows)))

    def run(number: int, _: Path) -> object:
        return send(try_number=number, **arguments)

    return Sending(name, run, prepare, wrong, lambda: sandbox.month(MONTH)["digest"])


def _row(draw: random.Random, hour: int) -> Row:
    """Make a row as CloudZero will hold it: numbers without trailing zeros."""
    cost = Decimal(draw.randint(10**17, 10**18) * 10 + draw.randint(1, 9)).scaleb(-14)
    return {
        "lineitem/id": f"line-{draw.randrange(16**12):012x}",
        "lineitem/type": "Usage",
        "time/usage_start": f"2026-03-{hour // 24 + 1:02d}T{hour % 24:02d}:00:00Z",
        "resource/id": f"instance/i-{draw.randrange(16**8):08x}",
        "resource/service": draw.choice(("Compute", "Storage", "Network")),
        "usage/amount": str(draw.randint(1, 9)),
        "cost/cost": f"{cost:f}",
        "resource/tag:team": draw.choice(("search", "billing")),
    }


def telemetry(sandbox: SandboxServer, draw: random.Random, *, operation: str) -> Sending:
    """Make a month of telemetry, with ``replace`` or with ``sum`` and a store that outlives its worker."""
    truth = {
        (f"2026-03-{day:02d}T00:00:00Z", f"team-{team:02d}"): draw.randint(1, 10**9)
        for day in range(1, 21)
        for team in range(25)
    }
    records = [{"timestamp": day, "element_name": team, "value": value} for (day, team), value in truth.items()]
    adds = operation == "sum"

    def run(number: int, folder: Path) -> object:
        return _send_telemetry(records, operation, number, folder)

    def prepare() -> None:
        if not adds:
            _send_stale(sandbox, list(truth)[: len(truth) // 2])

    def wrong() -> str | None:
        return _difference(Counter(_telemetry_held(sandbox)), Counter(_lines(truth)), may_lack=adds)

    def digest() -> str:
        return sandbox._call("GET", "state")["telemetry"][ELEMENTS]["digest"]

    return Sending(f"telemetry, {operation}", run, prepare, wrong, digest, may_lack=adds)


def _send_telemetry(records: list[dict[str, Any]], operation: str, number: int, folder: Path) -> object:
    from cloudzero_provider.operators.telemetry import TelemetrySendOperator

    task = TelemetrySendOperator(
        task_id="send",
        stream_name=ELEMENTS,
        stream_type="allocation",
        granularity="DAILY",
        records=records,
        operation=operation,
        max_batch_records=len(records) // REQUESTS,
        retries=5,
    )
    store = {"task_state_store": FileStore(str(folder / "store.json"))}
    return task.execute(context(task, try_number=number) | store)


def _send_stale(sandbox: SandboxServer, keys: list[tuple[str, str]]) -> None:
    records = [{"timestamp": day, "granularity": "DAILY", "element_name": team, "value": 7} for day, team in keys]
    url = f"{sandbox.url}/unit-cost/v1/telemetry/allocation/{ELEMENTS}/replace"
    headers = {"Authorization": sandbox.key}
    requests.post(url, json={"records": records}, headers=headers, timeout=60).raise_for_status()


def _telemetry_held(sandbox: SandboxServer) -> list[str]:
    reply = requests.get(f"{sandbox.url}/sandbox/telemetry/{ELEMENTS}/records", timeout=60)
    if reply.status_code == 404:
        return []
    reply.raise_for_status()
    return _lines(
        {(record["timestamp"], record["element_name"]): record["value"] for record in reply.json()["records"]}
    )


def _lines(values: dict[tuple[str, str], Any]) -> list[str]:
    return [f"{day} {team}: {Decimal(str(value))}" for (day, team), value in values.items()]


def _text(row: Row) -> str:
    return json.dumps(row, sort_keys=True)


def _difference(held: Counter[str], given: Counter[str], *, may_lack: bool = False) -> str | None:
    extra, missing = held - given, given - held
    if not extra and (may_lack or not missing):
        return None
    examples = [*extra, *missing][:1]
    return f"{extra.total():,} too many, {missing.total():,} missing, such as {examples[0]}"
