"""Scenarios of telemetry: records, what CloudZero held before, and what happens to one try after the other."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from support.fire.script import STOPS, Script, fate_lists
from support.fire.settings import REPLACE_MATCH
from support.fire.telemetry_records import (
    GRANULARITIES,
    KEYS_FIELD,
    Draw,
    amounts,
    pools,
    write_amount,
    written_records,
)
from support.fire.telemetry_truth import Held, Identity, Order, Record

#: What a request has beside its records.
_AROUND_RECORDS = 16
#: Each as often as it is drawn.
OPERATIONS = ("replace", "replace", "replace", "sum", "sum", "delete")
SANDBOX_SETTINGS: dict[str, Sequence[Any]] = {
    "delete_match": ("contains", "exact"),
    "replace_match": (REPLACE_MATCH,) if REPLACE_MATCH else ("identity", "properties"),
    "duplicates_in_replace": ("last", "refuse", "sum"),
    "value_form": ("both", "number"),
    "filter_value_order": ("ignored", "significant"),
    "telemetry_success_body": ("empty", "json", "text"),
    "telemetry_success_status": ("documented", "200", "202", "204"),
    "telemetry_rate": (0, 0, 100, 1),
    "telemetry_burst": (1, 5, 8_640_000),
    "telemetry_throttle_status": (429, 503),
    "telemetry_retry_after": ("seconds", "http_date", "none"),
}


#: Most tasks have a few requests, some have dozens.
_SCRIPTS = st.builds(
    Script,
    fates=st.one_of(fate_lists(most=0), fate_lists(most=3), fate_lists(most=20)),
    stop=st.one_of(
        st.none(),
        st.none(),
        st.builds(lambda stop, at: replace(stop, at=min(at, stop.at)), STOPS, st.integers(0, 3)),
        STOPS,
    ),
    pause=st.sampled_from((0.0, 1.0, 20.0, 59.0, 60.0, 120.0)),
)


@dataclass(frozen=True)
class Scenario:
    """
    A task, what it meets, and what happens to its tries.

    :param granularity: of the stream; ``tells`` says who does: the parameter, the records, or nobody (the default).
    :param before: what the stream held; empty when there was none.
    :param keeps_state: whether Airflow keeps a store over the tries.
    :param shuffled: the tries that get the same records in another order.
    """

    kind: str
    granularity: str
    tells: str
    order: Order
    before: Held
    limits: dict[str, int]
    settings: dict[str, Any]
    keeps_state: bool
    scripts: Sequence[Script]
    shuffled: Sequence[bool]
    retries: int
    latency: float
    jitter: float
    timeout: float

    def arguments(self, *, shuffled: bool = False) -> dict[str, Any]:
        """The parameters of the operator."""
        written = [dict(record.written) for record in self.order.records]
        if self.tells == "records":
            written = [record | {"granularity": self.granularity} for record in written]
        return {
            "stream_type": self.kind,
            "granularity": self.granularity if self.tells == "parameter" else None,
            "operation": self.order.operation,
            "on_duplicate": self.order.on_duplicate,
            "on_zero": self.order.on_zero,
            "clear_periods": self.order.clear_periods,
            "records": written[::-1] if shuffled else written,
            "retries": self.retries,
            **self.limits,
        }


def as_sent(kind: str, granularity: str, held: Held) -> list[list[dict[str, Any]]]:
    """Requests that make a stream hold this, a list of records each."""
    requests: dict[frozenset[str], list[dict[str, Any]]] = {}
    for identity, amount in held.items():
        record = {"timestamp": identity.period, "granularity": granularity, "value": str(amount)}
        if identity.element is not None:
            record["element_name"] = identity.element
        if identity.keys:
            keys = {name: list(values) if kind == "allocation" else values[0] for name, values in identity.keys}
            record[KEYS_FIELD[kind]] = keys
        requests.setdefault(identity.key_set, []).append(record)
    return list(requests.values())


@st.composite
def _records(draw: Draw, kind: str, granularity: str, pool: Sequence[Any], order: Order) -> tuple[Record, ...]:
    least = min(draw(st.sampled_from((1, 2, 3, 6, 20, 0))), len(pool))
    chosen = draw(st.lists(st.sampled_from(pool), unique=True, min_size=least, max_size=60))
    if len(pool) < 20 and draw(st.booleans()):
        chosen = draw(st.permutations(pool))
    again = order.operation != "replace" or order.on_duplicate == "sum" or draw(st.integers(0, 30)) == 0
    adds_up = order.operation == "replace" and again
    found = []
    for one in chosen:
        for _ in range(draw(st.integers(1, 3)) if again and draw(st.integers(0, 3)) == 0 else 1):
            amount = draw(amounts(few_digits=adds_up))
            if draw(st.integers(0, {"delete": 2, "skip": 9, "error": 200}[order.on_zero])) == 0:
                amount = (amount[0] * 0, write_amount(amount[0] * 0, draw(st.integers(0, 5))))
            found.append(draw(written_records(kind, granularity, one, amount)))
    return tuple(draw(st.permutations(found))) if len(found) < 12 else tuple(found)


@st.composite
def _orders(draw: Draw) -> Order:
    operation = draw(st.sampled_from(OPERATIONS))
    replaces = operation == "replace"
    on_zero = draw(st.sampled_from(("delete", "delete", "skip", "error") if replaces else ("skip", "error")))
    return Order(
        operation=operation,
        on_duplicate=draw(st.sampled_from(("error", "sum"))),
        on_zero=on_zero,
        # A zero that is skipped stays, so its period can't be cleared: that is refused.
        clear_periods=replaces and on_zero != "skip" and draw(st.integers(0, 9)) == 0,
        records=(),
    )


def _without(records: Sequence[Record], *fields: str) -> tuple[Record, ...]:
    return tuple(replace(r, written={k: v for k, v in r.written.items() if k not in fields}) for r in records)


def _of_all_elements(records: Sequence[Record]) -> tuple[Record, ...]:
    less = _without(records, "element_name")
    return tuple(replace(record, identity=record.identity._replace(element=None)) for record in less)


@st.composite
def _held_before(draw: Draw, pool: Sequence[Any], given: Sequence[Record], *, needed: bool) -> Held:
    choice = [identity for _, identity in pool]
    corrected = [record.identity for record in given if record.identity in choice]
    others = draw(st.lists(st.sampled_from(choice), unique=True, min_size=needed, max_size=10))
    identities: dict[Identity, None] = dict.fromkeys(others + draw(st.sampled_from(([], corrected[:10]))))
    return {identity: draw(amounts(few_digits=draw(st.booleans())))[0] for identity in identities}


@st.composite
def _limits(draw: Draw, kind: str, records: Sequence[Record]) -> dict[str, int]:
    """Small ones, so that there are several requests; every record still fits into one."""
    longest = max((_longest(kind, record) for record in records), default=100)
    body = draw(st.sampled_from((4_500_000, 4_500_000, longest, 3 * longest, 8 * longest)))
    return {
        "max_batch_records": draw(st.sampled_from((3000, 1, 2, 3, 7))),
        "max_body_bytes": min(4_500_000, _AROUND_RECORDS + body),
    }


def _longest(kind: str, record: Record) -> int:
    identity = record.identity
    names = ("timestamp", "value", "granularity", "element_name", KEYS_FIELD[kind], "MONTHLY", identity.period)
    texts = [
        *names,
        identity.element or "",
        f"{record.amount:f}",
        *(t for name, v in identity.keys for t in (name, *v)),
    ]
    return sum(len(json.dumps(text, ensure_ascii=False).encode()) + 4 for text in texts) + 50


@st.composite
def _settings(draw: Draw, key_sets: set[frozenset[str]]) -> dict[str, Any]:
    """CloudZero may fix a stream's set of keys, and then takes one only: there is nothing to see with several."""
    settings = {name: draw(st.sampled_from(values)) for name, values in SANDBOX_SETTINGS.items()}
    fixed = draw(st.booleans()) and len(key_sets) == 1
    return {**settings, "key_set_per_stream": "fixed" if fixed else "per_request"}


@st.composite
def _scenarios(draw: Draw) -> Scenario:
    kind = draw(st.sampled_from(tuple(KEYS_FIELD)))
    granularity = draw(st.sampled_from(GRANULARITIES[kind]))
    by_default = ("nobody",) if (kind, granularity) == ("metric", "DAILY") else ()
    order = draw(_orders())
    pool = draw(pools(kind, granularity))
    records = draw(_records(kind, granularity, pool, order))
    if order.operation == "delete":
        records = _without(records, "value") if draw(st.booleans()) else records
        records = _of_all_elements(records) if draw(st.integers(0, 4)) == 0 else records
    before = draw(_held_before(pool, records, needed=order.operation == "delete" and draw(st.integers(0, 9)) > 0))
    settings = draw(_settings({identity.key_set for identity in [*before, *(record.identity for record in records)]}))
    order = replace(
        order,
        records=records,
        deletes_exactly=settings["delete_match"] == "exact",
        replaces_by_properties=settings["replace_match"] == "properties",
    )
    scripts = draw(st.lists(_SCRIPTS, min_size=1, max_size=3))
    return Scenario(
        kind=kind,
        granularity=granularity,
        tells=draw(st.sampled_from(("parameter", "records", *by_default))),
        order=order,
        before=before,
        limits=draw(_limits(kind, records)),
        settings=settings,
        keeps_state=draw(st.sampled_from((True, True, False))),
        scripts=[replace(one, cleared=draw(st.integers(0, 4)) == 0) for one in scripts],
        shuffled=[draw(st.integers(0, 9)) == 0 for _ in scripts],
        retries=draw(st.integers(1, 3)),
        latency=draw(st.sampled_from((0.0, 0.3, 5.0))),
        jitter=draw(st.sampled_from((1.0, 0.0, 0.5))),
        timeout=draw(st.sampled_from((60.0, 20.0))),
    )


SCENARIOS = _scenarios()
