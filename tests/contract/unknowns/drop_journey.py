"""Billing drops, as a user sends, reads and waits for them."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import requests
from contract.unknowns.journeys import Held, Step, World, counted
from support.sandbox_server import STREAM
from support.tasks import context

from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator, AnyCostBillingDropReadOperator
from cloudzero_provider.sensors.anycost import AnyCostBillingDropSensor

MONTH, OTHER_MONTH = "2026-03", "2026-02"
Row = dict[str, str]


def row(day: int = 1, hour: int = 0, cost: str = "1.25", **others: str) -> Row:
    return {"time/usage_start": f"{MONTH}-{day:02d}T{hour:02d}:00:00Z", "cost/cost": cost, **others}


def rows_of(days: int, cost: str = "1.25") -> list[Row]:
    return [row(day, hour=day % 24, cost=cost, **{"resource/service": f"service {day}"}) for day in range(1, days + 1)]


BEFORE = rows_of(6, "9.5")
PLAIN = rows_of(8)
WITH_CREDITS = [
    *rows_of(7),
    row(8, cost="-0.75", **{"lineitem/type": "Discount"}),
    row(9, cost="-3", **{"lineitem/type": "Credit", "usage/amount": "-2"}),
]
OF_THE_GUIDE = [
    *rows_of(5),
    row(6, **{"lineitem/type": "CommittedUseVacancy"}),
    row(7, **{"lineitem/type": "CommittedUseRecurringFee"}),
]
WITH_PROVIDER = [{**found, "lineitem/cloud_provider": "AWS"} for found in rows_of(5)]
#: Two ordinary requests, and an hour that takes three: at 1,200 bytes each.
GIANT_HOUR = [row(16, hour=13, cost=f"0.{number:03d}1") for number in range(30)]
SEVERAL = [*rows_of(12), *GIANT_HOUR, *(row(20, hour=hour) for hour in range(12))]
SEVERAL_BYTES = 1_200
#: Rows of 60 kB: eighty of them are a request of nearly 5 MB.
LARGE = [row(1 + number % 31, **{"lineitem/description": f"{number:04d}" + "x" * 60_000}) for number in range(100)]


def month(rows: list[Row], *others: tuple[str, list[Row]]) -> Held:
    return {MONTH: counted(rows), **{name: counted(found) for name, found in others}}


def send(world: World, rows: list[Row], **arguments: Any) -> dict[str, Any]:
    options = {"cloudzero_conn_id": world.conn_id, "month": MONTH, "records": rows, **arguments}
    task = AnyCostBillingDropOperator(task_id="send", **options)
    return task.execute(context(task))


def sends(rows: list[Row], **arguments: Any) -> Callable[[World], Any]:
    return lambda world: send(world, rows, **arguments)


def before(world: World) -> None:
    world.seed_month(BEFORE, MONTH)


def before_both(world: World) -> None:
    world.seed_month(BEFORE, MONTH)
    world.seed_month(OTHER_ROWS, OTHER_MONTH)


def twice(world: World) -> None:
    for _ in range(2):
        send(world, SEVERAL, max_body_bytes=SEVERAL_BYTES)


def reads(world: World) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "march.parquet"
        task = AnyCostBillingDropReadOperator(
            task_id="read", cloudzero_conn_id=world.conn_id, month=MONTH, path=str(path)
        )
        summary = task.execute(context(task))
        found = [
            {name: text for name, text in line.items() if text is not None} for line in pl.read_parquet(path).to_dicts()
        ]
    assert counted(found) == counted(WITH_CREDITS), found
    assert summary["rows"] == len(WITH_CREDITS)


def waits(world: World) -> None:
    summary = send(world, SEVERAL, max_body_bytes=SEVERAL_BYTES)
    task = AnyCostBillingDropSensor(
        task_id="wait", cloudzero_conn_id=world.conn_id, summary=summary, mode="poke", poke_interval=0.2, timeout=20
    )
    assert task.execute(context(task))["listed"]


def beside_another_writer(world: World) -> None:
    """Another program is in the middle of a request on the stream, for another month."""
    url = f"{world.sandbox.url}/v2/connections/billing/anycost/{STREAM}/billing_drops"
    body = {"operation": "replace_drop", "data": OTHER_ROWS}
    headers = {"Authorization": world.sandbox.key}
    other = threading.Thread(
        target=requests.post, args=(url,), kwargs={"json": body, "headers": headers, "timeout": 30}
    )
    known = len(world.own("GET", "requests")["requests"])
    other.start()
    deadline = time.monotonic() + 10
    while not any(found.get("applied") for found in world.own("GET", "requests")["requests"][known:]):
        assert time.monotonic() < deadline, "the other writer was refused"
        time.sleep(0.01)
    try:
        send(world, PLAIN)
    finally:
        other.join()


OTHER_ROWS = [{"time/usage_start": f"{OTHER_MONTH}-05T00:00:00Z", "cost/cost": "4"}]
LOST = [
    {"kind": "apply_then_lose_reply", "operation": "replace_drop"},
    {"kind": "lose_request", "operation": "replace_hourly"},
    {"kind": "lose_reply_then_apply", "operation": "sum", "seconds": 0.2},
]

DROP_STEPS = (
    Step("a month of one request", sends(PLAIN), month(PLAIN), before, quick=True),
    Step("a month with discounts and credits", sends(WITH_CREDITS), month(WITH_CREDITS), before),
    Step("line item types that only CloudZero's guide has", sends(OF_THE_GUIDE), month(OF_THE_GUIDE), before),
    Step(
        "a column that only CloudZero's guide has",
        sends(WITH_PROVIDER),
        month(WITH_PROVIDER),
        before,
        or_else=("success, but CloudZero drops the column", month(rows_of(5))),
    ),
    Step(
        "a month of several requests, with an hour larger than one",
        sends(SEVERAL, max_body_bytes=SEVERAL_BYTES),
        month(SEVERAL),
        before,
        quick=True,
    ),
    Step(
        "the same, with lost replies and lost requests",
        sends(SEVERAL, max_body_bytes=SEVERAL_BYTES),
        month(SEVERAL),
        before,
        faults=LOST,
    ),
    Step("a month sent twice", twice, month(SEVERAL)),
    Step(
        "`verify=True` and `validate_with_cloudzero=True`",
        sends(PLAIN, verify=True, validate_with_cloudzero=True),
        month(PLAIN),
        before,
    ),
    Step("`check_only=True`", sends(PLAIN, check_only=True), month(BEFORE), before),
    Step(
        "`validate_with_cloudzero=True`, of rows that CloudZero refuses",
        sends(OF_THE_GUIDE, validate_with_cloudzero=True),
        None,
        before,
        ends_as="ValidationFailedError",
        settings={"guide_only_lineitem_types": "refuse"},
    ),
    Step(
        "`replace_hourly`",
        sends([row(1, hour=1, cost="2"), row(2, hour=2, cost="3"), row(2, hour=2)], operation="replace_hourly"),
        month([*BEFORE[2:], row(1, hour=1, cost="2"), row(2, hour=2, cost="3"), row(2, hour=2)]),
        before,
    ),
    Step("`sum`", sends(PLAIN, operation="sum"), month([*BEFORE, *PLAIN]), before, quick=True, heals=False),
    Step(
        "`sum`, with a lost reply",
        sends(PLAIN, operation="sum"),
        month([*BEFORE, *PLAIN]),
        before,
        ends_as="AmbiguousWriteError",
        faults=[{"kind": "apply_then_lose_reply"}],
        heals=False,
    ),
    Step('`on_empty="clear"`', sends([], on_empty="clear"), {}, before),
    Step(
        "one day instead of the month, which `min_rows_ratio` refuses",
        sends(BEFORE[:1]),
        None,
        before,
        ends_as="MonthWouldShrinkError",
    ),
    Step(
        "a month twice as large, which `max_rows_ratio` refuses",
        sends(rows_of(12), max_rows_ratio=1.5),
        None,
        before,
        ends_as="MonthWouldGrowError",
    ),
    Step("reading a month back", reads, None, lambda world: world.seed_month(WITH_CREDITS, MONTH)),
    Step("waiting for a month with the sensor", waits, month(SEVERAL), before),
    Step(
        "while another program sends on the stream",
        beside_another_writer,
        month(PLAIN, (OTHER_MONTH, OTHER_ROWS)),
        before_both,
        faults=[{"kind": "slow", "seconds": 1.0, "month": OTHER_MONTH}],
    ),
    Step(
        "a key that CloudZero does not know",
        lambda world: send(world, PLAIN, cloudzero_conn_id=world.denied_conn_id),
        None,
        before,
        ends_as="AuthenticationError",
    ),
    Step(
        "a stream that CloudZero does not know",
        sends(PLAIN, anycost_connection_id="no-such-stream"),
        None,
        before,
        ends_as="RequestRejectedError",
    ),
    Step(
        "requests of nearly 5 MB",
        sends(LARGE, max_body_bytes=5_000_000),
        month(LARGE),
        only_for=frozenset({"body_limit"}),
    ),
)
