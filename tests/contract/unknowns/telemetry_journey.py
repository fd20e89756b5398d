"""Telemetry, as a user sends it, corrects it and waits for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from contract.unknowns.journeys import Held, Step, World, counted
from support.tasks import context

from cloudzero_provider.exceptions import RequestRejectedError
from cloudzero_provider.hooks.cloudzero import CloudZeroHook
from cloudzero_provider.operators.telemetry import TelemetrySendOperator
from cloudzero_provider.sensors.telemetry import CloudZeroStreamStatusSensor

NAME = "Orders-per.team"
METRIC, ALLOCATION = "metric", "allocation"
Record = dict[str, Any]


def at(day: int, hour: int = 0) -> str:
    return f"2026-03-{day:02d}T{hour:02d}:00:00Z"


def metric(day: int, value: float, **keys: str) -> Record:
    record: Record = {"timestamp": at(day), "value": value}
    return {**record, "associated_cost": {f"custom:{key}": text for key, text in keys.items()}} if keys else record


def allocation(day: int, element: str, value: float, **keys: list[str]) -> Record:
    record: Record = {"timestamp": at(day), "granularity": "DAILY", "element_name": element, "value": value}
    return {**record, "filter": {f"custom:{key}": texts for key, texts in keys.items()}} if keys else record


def stream(records: Sequence[Record], granularity: str = "DAILY", name: str = NAME) -> Held:
    """What CloudZero holds of the records, as the sandbox shows it."""
    return {f"{name.lower()} ({granularity})": counted([_as_held(record) for record in records])}


def _as_held(record: Record) -> Record:
    keys = record.get("associated_cost", record.get("filter", {}))
    return {
        "timestamp": record["timestamp"],
        "element_name": record.get("element_name"),
        "keys": {key: sorted(value) if isinstance(value, list) else value for key, value in keys.items()},
        "value": str(record["value"]),
    }


def send(world: World, kind: str, records: Sequence[Record], **arguments: Any) -> dict[str, Any]:
    options = {"cloudzero_conn_id": world.conn_id, "stream_name": NAME, "stream_type": kind, **arguments}
    task = TelemetrySendOperator(task_id="send", records=list(records), **options)
    return task.execute(context(task))


def sends(kind: str, records: Sequence[Record], **arguments: Any) -> Callable[[World], Any]:
    return lambda world: send(world, kind, records, **arguments)


def seeds(kind: str, records: Sequence[Record]) -> Callable[[World], None]:
    return lambda world: world.seed_records(f"{kind}/{NAME}", records)


def waits(world: World, records: Sequence[Record] | None = None, **arguments: Any) -> None:
    options = {"records": list(records), "stream_name": NAME} if records else {}
    task = CloudZeroStreamStatusSensor(
        task_id="wait", cloudzero_conn_id=world.conn_id, mode="poke", poke_interval=0.2, **{**options, **arguments}
    )
    assert task.execute(context(task))["status"] == "Available"


def sends_and_waits(world: World) -> None:
    waits(world, summary=send(world, ALLOCATION, OF_TEAMS), timeout=20)


def sends_a_bad_record_first(world: World) -> None:
    """One record of the batch is centuries ahead; CloudZero refuses it, and the user sends the others."""
    try:
        send(world, METRIC, [*CORRECTED, FAR_AHEAD])
    except RequestRejectedError:
        send(world, METRIC, CORRECTED)
    else:
        raise AssertionError("a record of the year 2999 was taken")


def twice(world: World) -> None:
    for _ in range(2):
        send(world, ALLOCATION, OF_TEAMS, max_batch_records=3)


def deletes_the_stream(world: World) -> None:
    CloudZeroHook(world.conn_id).get_conn().delete_stream(NAME, force=True)


OLD = [metric(1, 5, Team="a"), metric(2, 6, Team="a"), metric(9, 7, Team="b")]
CORRECTED = [metric(1, 50, Team="a"), metric(2, 0.125, Team="b")]
AFTER_CORRECTION = [metric(1, 50, Team="a"), metric(2, 6, Team="a"), metric(2, 0.125, Team="b"), metric(9, 7, Team="b")]
FAR_AHEAD = {**metric(1, 1, Team="a"), "timestamp": "2999-01-01T00:00:00Z"}
OF_TEAMS = [
    allocation(day, element, day + 0.5, Team=[element, "all"]) for day in range(1, 5) for element in ("api", "web")
]
#: Of most days and elements there is one with fewer keys and one with more; those with more come first.
MIXED = [
    *(allocation(day, "api", day, Team=["api", "all"], Region=["eu", "us"]) for day in range(1, 4)),
    *OF_TEAMS,
    *(allocation(day, "web", day, Team=["web", "all"], Region=["eu", "us"]) for day in range(1, 4)),
    *(allocation(day, "web", day) for day in range(1, 4)),
]
WITHOUT_KEYS = [allocation(day, "web", 9) for day in range(1, 3)]
NOT_REPLACED = [record for record in OF_TEAMS if record["element_name"] != "web" or record["timestamp"] > at(2)]
FOR_ALL_SPEND = [allocation(day, "all", day) for day in range(1, 4)]
MONTHLY = [metric(1, 31)]
LARGE = [metric(1 + number % 31, 1, Team=f"{number:04d}" + "x" * 20_000) for number in range(300)]
MANY = [metric(1 + number % 31, 1, Team=f"team {number}") for number in range(3_100)]
LOST = [
    {"kind": "apply_then_lose_reply"},
    {"kind": "lose_request", "skip": 2},
    {"kind": "lose_reply_then_apply", "skip": 4, "seconds": 0.2},
]

TELEMETRY_STEPS = (
    Step("the first records of a metric", sends(METRIC, OLD), stream(OLD)),
    Step("the first records of an allocation", sends(ALLOCATION, OF_TEAMS), stream(OF_TEAMS)),
    Step("a correction", sends(METRIC, CORRECTED), stream(AFTER_CORRECTION), seeds(METRIC, OLD)),
    Step(
        "several requests, with several sets of keys",
        sends(ALLOCATION, MIXED, max_batch_records=3),
        stream(MIXED),
    ),
    Step(
        "the same, with lost replies and lost requests",
        sends(ALLOCATION, MIXED, max_batch_records=3),
        stream(MIXED),
        seeds(ALLOCATION, OF_TEAMS[:1]),
        faults=LOST,
    ),
    Step(
        "records without keys, beside records with keys that CloudZero holds",
        sends(ALLOCATION, WITHOUT_KEYS),
        stream([*OF_TEAMS, *WITHOUT_KEYS]),
        seeds(ALLOCATION, OF_TEAMS),
        or_else=("success, but CloudZero also replaces those with keys", stream([*NOT_REPLACED, *WITHOUT_KEYS])),
    ),
    Step(
        "several requests, with lost replies and lost requests",
        sends(ALLOCATION, OF_TEAMS, max_batch_records=3),
        stream(OF_TEAMS),
        seeds(ALLOCATION, OF_TEAMS[:1]),
        faults=LOST,
    ),
    Step("the same records sent twice", twice, stream(OF_TEAMS), seeds(ALLOCATION, OF_TEAMS[:1])),
    Step(
        "an allocation without `filter`",
        sends(ALLOCATION, FOR_ALL_SPEND),
        stream(FOR_ALL_SPEND),
        seeds(ALLOCATION, FOR_ALL_SPEND[:1]),
    ),
    Step(
        "a metric with monthly granularity",
        sends(METRIC, MONTHLY, granularity="MONTHLY"),
        stream(MONTHLY, "MONTHLY"),
        or_else=("success, but CloudZero treats the records as daily", stream(MONTHLY)),
    ),
    Step(
        "`delete`",
        sends(METRIC, [{name: value for name, value in OLD[0].items() if name != "value"}], operation="delete"),
        stream(OLD[1:]),
        seeds(METRIC, OLD),
    ),
    Step(
        'a correction to zero, with `on_zero="delete"`',
        sends(METRIC, [metric(1, 0, Team="a"), metric(2, 8, Team="a")], on_zero="delete"),
        stream([metric(2, 8, Team="a"), OLD[2]]),
        seeds(METRIC, OLD),
    ),
    Step(
        'records given twice, with `on_duplicate="sum"`',
        sends(METRIC, [metric(1, 2, Team="a"), metric(1, 3, Team="a")], on_duplicate="sum"),
        stream([metric(1, 5, Team="a"), *OLD[1:]]),
        seeds(METRIC, OLD),
    ),
    Step(
        "`clear_periods=True`",
        sends(METRIC, [metric(1, 3, Team="c")], clear_periods=True),
        stream([metric(1, 3, Team="c"), *OLD[1:]]),
        seeds(METRIC, OLD),
    ),
    Step(
        "`sum`",
        sends(METRIC, [metric(1, 3, Team="a")], operation="sum"),
        stream([metric(1, 8, Team="a"), *OLD[1:]]),
        seeds(METRIC, OLD),
        heals=False,
    ),
    Step(
        "`sum`, with a lost reply",
        sends(METRIC, [metric(1, 3, Team="a")], operation="sum"),
        stream([metric(1, 8, Team="a"), *OLD[1:]]),
        seeds(METRIC, OLD),
        ends_as="AmbiguousWriteError",
        faults=[{"kind": "apply_then_lose_reply"}],
        heals=False,
    ),
    Step(
        "a batch with a record that CloudZero refuses, then the batch without it",
        sends_a_bad_record_first,
        stream(AFTER_CORRECTION),
        seeds(METRIC, OLD),
    ),
    Step(
        "a batch with a record that CloudZero refuses",
        sends(METRIC, [*CORRECTED, FAR_AHEAD]),
        stream(AFTER_CORRECTION),
        seeds(METRIC, OLD),
        ends_as="RequestRejectedError",
    ),
    Step("waiting for records with the sensor", sends_and_waits, stream(OF_TEAMS), seeds(ALLOCATION, OF_TEAMS[:1])),
    Step(
        "waiting for a stream that does not exist yet",
        lambda world: waits(world, OF_TEAMS, timeout=0.5),
        ends_as="AirflowSensorTimeout",
    ),
    Step("deleting a stream", deletes_the_stream, {}, seeds(METRIC, OLD)),
    Step(
        "a key that CloudZero does not know",
        lambda world: send(world, METRIC, CORRECTED, cloudzero_conn_id=world.denied_conn_id),
        None,
        seeds(METRIC, OLD),
        ends_as="AuthenticationError",
    ),
    Step(
        "requests of nearly 5 MB",
        sends(METRIC, LARGE, max_body_bytes=5_000_000),
        stream(LARGE),
        only_for=frozenset({"telemetry_body_limit"}),
    ),
    Step(
        "3,100 records",
        sends(METRIC, MANY),
        stream(MANY),
        only_for=frozenset({"telemetry_record_limit"}),
    ),
)
