"""Runs a scenario, and checks the promise after each of its attempts."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException, AirflowSkipException

from cloudzero_provider import exceptions as errors
from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator
from cloudzero_provider.sandbox.anycost.reads import open_month
from cloudzero_provider.sandbox.common.months import parse_month
from cloudzero_provider.sandbox.settings.anycost import MonthFormat
from support.fire.drops_scenario import Scenario
from support.fire.drops_truth import MONTH, NEIGHBOUR, Bag, Rows, bag, by_hour
from support.fire.script import Interrupted, Killed, Script
from support.fire.world import Ending, World
from support.sandbox_server import STREAM
from support.state_stores import Store
from support.tasks import context

DROPS = f"/v2/connections/billing/anycost/{STREAM}/billing_drops"
RETRIES = 90
_NEIGHBOURS = [{"time/usage_start": "2026-02-28T23:00:00Z", "cost/cost": "1.5", "lineitem/id": "neighbour"}]
#: The longest time that one fault may cost: all repeats, a timeout, and settling.
_LONGEST = 600 + 60 + 60


class Trial:
    """One scenario in a world."""

    def __init__(self, world: World, scenario: Scenario) -> None:
        self.world = world
        self.scenario = scenario
        self.store = Store()
        self.try_number = 0
        self.max_tries = RETRIES
        self.new = bag(scenario.rows.truth())
        self.giants = scenario.giant_hours
        world.reset(**scenario.world)
        self._put(MONTH, scenario.old_rows.truth())
        self._put(NEIGHBOUR, _NEIGHBOURS)
        self.base = self.peek()
        assert self.base == bag(scenario.old_rows.truth())

    def _put(self, month: str, rows: list[dict[str, str]]) -> None:
        if rows:
            assert self.world.request("POST", DROPS, {"month": month, "data": rows}).ok

    def held(self, month: str = MONTH) -> Bag:
        """What CloudZero's own endpoint returns."""
        reply = self.world.request("GET", f"{DROPS}/{month}")
        assert reply.status_code in (200, 404)
        return bag(reply.json()["billing_drop"] if reply.ok else [])

    def peek(self) -> Bag:
        """What that endpoint would return, without a request: one beside a lost request would be concurrent."""
        return bag(self.world.on_loop(self._peek()))

    async def _peek(self) -> list[dict[str, str]]:
        found = open_month(self.world.sandbox.database, STREAM, parse_month(MONTH, MonthFormat.BOTH), None)
        return json.loads(b"".join(found.pieces)) if found else []  # type: ignore[no-any-return]

    def attempt(self, script: Script) -> Ending:
        """Run the task's next attempt and check the promise."""
        self.world.wait(script.pause)
        self.try_number += 1
        if script.cleared:
            self._clear()
        before = self.peek()
        ending = self.world.run(self._execute, script)
        after = self.peek()
        self._check_kind(ending)
        self._check_time(ending)
        self._check_requests(ending)
        self._check_nothing_runs(ending, script)
        self._check_standing(ending, before, after)
        if self.scenario.adds:
            self._check_added(ending, after)
        else:
            self._check_replaced(ending, after)
        return ending

    def _clear(self) -> None:
        """Somebody has waited, checked what CloudZero holds, and clears the task."""
        self.world.settle()
        self.max_tries = self.try_number - 1 + RETRIES
        if self.scenario.adds:
            self.base = self.peek()

    def _execute(self) -> Any:
        task = AnyCostBillingDropOperator(task_id="send", month=MONTH, retries=RETRIES, **self.scenario.task())
        given = context(task, try_number=self.try_number, max_tries=self.max_tries)
        if self.scenario.has_store:
            given["task_state_store"] = self.world.store(self.store)
        return task.execute(given)

    def _check_kind(self, ending: Ending) -> None:
        error = ending.raised
        if error is None or isinstance(error, (Killed, Interrupted)):
            return
        if isinstance(error, AirflowSkipException):
            assert not self.scenario.rows.count
            assert self.scenario.on_empty == "skip"
            return
        assert isinstance(error, errors.CloudZeroError), repr(error)
        assert isinstance(error, AirflowException)
        assert isinstance(error, AirflowFailException) is not error.retry_can_help
        assert self.scenario.adds or not isinstance(error, errors.AmbiguousWriteError)

    def _check_time(self, ending: Ending) -> None:
        latency = self.scenario.world.get("latency", 0.0) * len(ending.requests)
        went_wrong = ending.fired + isinstance(ending.raised, Interrupted)
        assert ending.seconds <= 60 + latency + went_wrong * _LONGEST

    def _check_requests(self, ending: Ending) -> None:
        """One request on the stream at a time; a task refused before its first write wrote nothing."""
        everything = self.world.requests()
        for request in ending.requests:
            _check_alone(request, everything)
        writes = [request for request in ending.requests if request["method"] == "POST" and request["path"] == DROPS]
        if isinstance(ending.raised, (errors.InputError, errors.ConfigurationError, AirflowSkipException)):
            assert not writes

    def _check_nothing_runs(self, ending: Ending, script: Script) -> None:
        """An attempt that ended without a kill leaves no write in flight."""
        in_a_sleep = (
            isinstance(ending.raised, Interrupted) and script.stop is not None and script.stop.step != "request"
        )
        if not ending.killed and not in_a_sleep:
            assert not any(request.writes for request in self.world.sandbox.running.others(STREAM))

    def _check_standing(self, ending: Ending, before: Bag, after: Bag) -> None:
        """What the error says of the month is true."""
        said = str(ending.raised)
        if "CloudZero holds the month as before" in said or "nothing was sent" in said.lower():
            assert after == before
        applied = re.search(r"requests for \S+: ([\d,]+) of", said)
        if applied:
            assert (after & self.new).total() >= int(applied[1].replace(",", ""))

    def _check_added(self, ending: Ending, held: Bag) -> None:
        assert self.base <= held
        assert held <= self.base + self.new
        if ending.result is not None:
            assert held == self.base + self.new

    def _check_replaced(self, ending: Ending, held: Bag) -> None:
        """
        Every hour has its old or its new rows; an hour of several requests may have a part of the new ones.

        ``replace_drop`` first empties the month, then fills it in the order of the hours.
        """
        if ending.result is not None:
            assert held == self.truth()
            return
        old, new, now = by_hour(self.base), by_hour(self.new), by_hour(held)
        if self.scenario.operation == "replace_drop":
            if held == self.base:
                return
            filled = list(now)
            assert filled == list(new)[: len(filled)]
            if len(filled) < len(new) and filled and filled[-1] in self.giants:
                assert now[filled[-1]] <= new[filled[-1]]
                del now[filled[-1]]
            self._check_hours(now, {}, new)
            return
        self._check_hours({hour: now.get(hour, Counter()) for hour in {*old, *new, *now}}, old, new)

    def _check_hours(self, now: dict[str, Bag], old: dict[str, Bag], new: dict[str, Bag]) -> None:
        for hour, held in now.items():
            is_part = hour in self.giants and held <= new[hour]
            assert is_part or held in (old.get(hour, Counter()), new.get(hour, Counter())), hour

    def truth(self) -> Bag:
        """The rows that the month must have after a success."""
        if self.scenario.operation == "replace_drop":
            return self.new
        old, new = by_hour(self.base), by_hour(self.new)
        return sum(({**old, **new}).values(), Counter())


def _check_alone(request: dict[str, Any], everything: list[dict[str, Any]]) -> None:
    """Only a read whose reply was lost may still be running: it changes nothing, and is not waited for."""
    others = [
        other
        for other in everything
        if other["number"] < request["number"]
        and (other["ended"] is None or other["ended"] > request["started"])
        and other["path"].startswith(DROPS)
    ]
    assert request["overlapped"] == bool(others and request["path"].startswith(DROPS))
    assert all(other["method"] == "GET" for other in others), (request, others)


def heals(trial: Trial) -> None:
    """A run without faults heals the month, or is refused for a reason that remains."""
    scenario = trial.scenario
    trial.world.settle()
    held = trial.peek()
    ending = trial.attempt(Script(cleared=scenario.adds))
    assert trial.held() == trial.peek()
    assert trial.held(NEIGHBOUR) == bag(_NEIGHBOURS)
    if scenario.rows.is_bad:
        assert isinstance(ending.raised, errors.InvalidRowsError)
    elif not scenario.rows.count:
        _check_empty(trial, ending)
    elif scenario.operation == "replace_drop" and trial.new.total() < scenario.min_rows_ratio * held.total():
        assert isinstance(ending.raised, errors.MonthWouldShrinkError)
    else:
        assert ending.raised is None, repr(ending.raised)


def _check_empty(trial: Trial, ending: Ending) -> None:
    if trial.scenario.on_empty == "skip":
        assert isinstance(ending.raised, AirflowSkipException)
    elif trial.scenario.on_empty == "fail":
        assert isinstance(ending.raised, errors.InputError)
    elif trial.scenario.operation != "replace_drop":
        assert isinstance(ending.raised, errors.ConfigurationError)
    else:
        assert ending.raised is None
        assert trial.held() == bag(Rows().truth())
