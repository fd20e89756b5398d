"""What a user does, step by step, against a CloudZero that is set to some possibility, and how each step ends."""

from __future__ import annotations

import json
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import requests
from airflow.providers.common.compat.sdk import AirflowSensorTimeout
from support.sandbox_server import STREAM, SandboxServer
from support.tasks import connection

from cloudzero_provider.exceptions import CloudZeroError

#: Stands in for 60 s, and the tries of one request for 600 s.
SETTLE_SECONDS = 0.4
MAX_RETRY_SECONDS = 12
#: A step that takes as long hangs.
HANGS = 45
#: Requests per second at which no two of them come without a wait.
SLOW_RATE = 0.7
BASE = {"processed_after_seconds": 0.2}

#: What CloudZero holds: place → how often each row or record is there, as JSON.
Held = dict[str, Counter[str]]


class World:
    """A sandbox of its own, and Airflow connections that lead to it."""

    def __init__(self, sandbox: SandboxServer, number: int) -> None:
        self.sandbox = sandbox
        self.conn_id, self.denied_conn_id = f"unknowns_{number}", f"unknowns_{number}_denied"
        self._session = requests.Session()
        self._settings: dict[str, Any] = {}
        limits = {"settle_seconds": SETTLE_SECONDS, "max_retry_seconds": MAX_RETRY_SECONDS}
        for conn_id, key in ((self.conn_id, None), (self.denied_conn_id, "no-such-key-0000")):
            os.environ[f"AIRFLOW_CONN_{conn_id.upper()}"] = connection(sandbox, key=key, **limits)

    def own(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the sandbox itself, over one connection: there are many steps."""
        reply = self._session.request(method, f"{self.sandbox.url}/sandbox/{path}", json=body, timeout=30)
        assert reply.ok, reply.text
        return reply.json() if reply.content else None

    def plainly(self, method: str, path: str, body: Any = None) -> None:
        """Send something as CloudZero takes it by default, with none of the provider's code."""
        headers = {"Authorization": self.sandbox.key}
        reply = self._session.request(method, self.sandbox.url + path, json=body, headers=headers, timeout=30)
        assert reply.ok, reply.text

    def set(self, settings: Mapping[str, Any]) -> None:
        """Set these, and all others to what they are by default."""
        wanted = {**BASE, **settings}
        if wanted != self._settings:
            self.own("DELETE", "settings")
            self.own("POST", "settings", wanted)
            self._settings = wanted

    def seed_month(self, rows: Sequence[Mapping[str, str]], month: str) -> None:
        path = f"/v2/connections/billing/anycost/{STREAM}/billing_drops"
        self.plainly("POST", path, {"month": month, "operation": "replace_drop", "data": list(rows)})

    def seed_records(self, path: str, records: Sequence[Mapping[str, Any]]) -> None:
        self.plainly("POST", f"/unit-cost/v1/telemetry/{path}/sum", {"records": list(records)})

    def held(self) -> Held:
        state = self.own("GET", "state")
        months = state["streams"][STREAM]["months"]
        rows = {month: self.own("GET", f"streams/{STREAM}/{month}/rows") for month in months}
        streams = {
            f"{name.lower()} ({stream['granularity']})": self.own("GET", f"telemetry/{name}/records")["records"]
            for name, stream in state["telemetry"].items()
        }
        return {place: counted(found) for place, found in {**rows, **streams}.items() if found}


def counted(found: Sequence[Mapping[str, Any]]) -> Counter[str]:
    return Counter(json.dumps(item, sort_keys=True, ensure_ascii=False) for item in found)


@dataclass(frozen=True)
class Step:
    """
    Something that a user does.

    :param name: in words, for the page.
    :param act: does it, with the provider.
    :param truth: what CloudZero has to hold when it succeeds; without it, what it held before.
    :param seed: makes what CloudZero holds before.
    :param or_else: in words, and as what CloudZero then holds: a success that is no more than it can be, where CloudZero
        itself drops what was sent, or keeps silent about what it holds.
    :param ends_as: the error that it ends as when all is well.
    :param faults: what happens to its requests.
    :param settings: that belong to the step itself.
    :param only_for: the settings that it says something about; without any: all.
    :param quick: whether it is among the few that are run where each request has to wait.
    :param heals: whether doing it again has to make it true, once CloudZero takes it.
    """

    name: str
    act: Callable[[World], Any]
    truth: Held | None = None
    seed: Callable[[World], None] = lambda world: None
    or_else: tuple[str, Held] | None = None
    ends_as: str | None = None
    faults: Sequence[dict[str, Any]] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    only_for: frozenset[str] = frozenset()
    quick: bool = False
    heals: bool = True


@dataclass(frozen=True, order=True)
class Outcome:
    """
    How a step ended.

    :param end: ``exact``, the name of an error's class, the words of ``or_else``, or ``BROKEN``.
    :param held: what CloudZero then holds: ``as sent``, ``as before``, ``in part``.
    :param words: of the error.
    """

    end: str
    held: str = "as sent"
    words: str = ""

    @property
    def is_broken(self) -> bool:
        return self.end == "BROKEN"


def broken(words: str) -> Outcome:
    return Outcome("BROKEN", "", words)


#: Settings that say how something is held, and so hold for what was there before.
OF_WHAT_IS_HELD = {"stream_name_case"}


def run_step(world: World, step: Step, settings: Mapping[str, Any]) -> Outcome:
    lasting = {name: value for name, value in settings.items() if name in OF_WHAT_IS_HELD}
    world.own("POST", "reset", {})
    world.set(lasting)
    step.seed(world)
    before = world.held()
    # What was there before has been there for long.
    time.sleep(settings.get("read_lag_seconds", 0))
    world.set({**settings, **step.settings})
    if step.faults:
        world.own("POST", "faults", {"faults": list(step.faults)})
    began = time.monotonic()
    outcome = _outcome(world, step, before)
    took = time.monotonic() - began
    if took > HANGS:
        return broken(f"it took {took:.0f} s")
    if outcome.end.endswith(("Error", "Timeout")) and outcome.end != step.ends_as and step.heals:
        return _healed(world, step, outcome, lasting)
    return outcome


def _outcome(world: World, step: Step, before: Held) -> Outcome:
    truth = before if step.truth is None else step.truth
    try:
        step.act(world)
    except CloudZeroError as error:
        return _refused(error, before, truth, world.held())
    except AirflowSensorTimeout as error:
        return Outcome(kind_of(error), "as before")
    except Exception as error:
        return broken(f"{kind_of(error)}: {error}")
    held = world.held()
    if step.or_else and held == step.or_else[1]:
        return Outcome(step.or_else[0])
    if held != truth or step.ends_as is not None:
        return broken(f"success, and CloudZero holds {_difference(held, truth)}")
    return Outcome("exact")


def kind_of(error: Exception) -> str:
    return (getattr(error, "core_class", None) or type(error)).__name__


def _refused(error: CloudZeroError, before: Held, truth: Held, held: Held) -> Outcome:
    kind, words = kind_of(error), plain(str(error))
    if held == before:
        return Outcome(kind, "as before", words)
    if held == truth:
        return Outcome(kind, "as sent", words)
    for place, found in held.items():
        most = before.get(place, Counter()) | truth.get(place, Counter())
        if found - most:
            return broken(f"{kind}, and in {place} stands what nobody sent, or twice: {found - most}; {words}")
    return Outcome(kind, "in part", words)


def _healed(world: World, step: Step, outcome: Outcome, lasting: Mapping[str, Any]) -> Outcome:
    """Do it again with a CloudZero that takes it: whatever was left behind, the truth has to come of it."""
    world.own("DELETE", "faults")
    world.set({**lasting, **step.settings})
    try:
        step.act(world)
    except Exception as error:
        if kind_of(error) != step.ends_as:
            return broken(f"{outcome.end}; done again: {kind_of(error)}: {error}")
    if step.truth is not None and step.ends_as is None and world.held() != step.truth:
        return broken(f"{outcome.end}; done again, CloudZero holds {_difference(world.held(), step.truth)}")
    return outcome


def _difference(held: Held, truth: Held) -> str:
    places = sorted({*held, *truth})
    more = {place: list(held.get(place, Counter()) - truth.get(place, Counter()))[:3] for place in places}
    less = {place: list(truth.get(place, Counter()) - held.get(place, Counter()))[:3] for place in places}
    return f"what was not sent: {more}; and not: {less}"


_VOLATILE = (
    (re.compile(r"no reply \([^)]*\)"), "no reply (…)"),
    (re.compile(r"Gave up after \d+ attempts?"), "Gave up after … attempts"),
    (re.compile(r"\d+ times in a row"), "… times in a row"),
    (re.compile(r"asks to wait [\d.]+ s"), "asks to wait … s"),
    (re.compile(r"SHA-256 [0-9a-f]+"), "SHA-256 …"),
    (re.compile(rf"{STREAM}"), "<stream>"),
    (re.compile(r"(the limit is|after|read back within) [\d.]+ s"), r"\1 … s"),
)


def plain(words: str) -> str:
    """An error's words without what is another one each time."""
    for pattern, instead in _VOLATILE:
        words = pattern.sub(instead, words)
    return " ".join(words.split())


def run_journey(world: World, steps: Sequence[Step], settings: Mapping[str, Any]) -> dict[str, Outcome]:
    """Each step on its own, under the settings."""
    slow = settings.get("anycost_rate") == SLOW_RATE
    wanted = [step for step in steps if not step.only_for or step.only_for & settings.keys()]
    return {step.name: run_step(world, step, settings) for step in wanted if step.quick or not slow}
