"""A scenario of telemetry carried out, and the promise checked after each of its tries."""

from __future__ import annotations

import json
from typing import Any

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException, AirflowSkipException

from cloudzero_provider.exceptions import AmbiguousWriteError, CloudZeroError, InputError
from cloudzero_provider.operators.telemetry import TelemetrySendOperator
from cloudzero_provider.sandbox.settings.all_settings import changed
from cloudzero_provider.sandbox.telemetry.totals import open_records
from support.fire.script import SETTLE_SECONDS, Interrupted, Killed, Script
from support.fire.telemetry_scenarios import Scenario, as_sent
from support.fire.telemetry_truth import Held, held_of, misfits
from support.fire.world import Ending, World
from support.sandbox_server import KEY
from support.state_stores import Store
from support.tasks import context

NAME, OTHER = "under-fire", "another"
MAX_RETRY_SECONDS = 600
#: Answers after which everybody knows that nothing was added.
SURELY_NOT_ADDED = {"refuse 401", "refuse 403", "refuse 429", "refuse 503", "no_connection"}


class Trial:
    """A scenario on its way: the tries of its task, and what may be held after each."""

    def __init__(self, world: World, scenario: Scenario) -> None:
        self.world, self.scenario, self.order = world, scenario, scenario.order
        self.store = Store() if scenario.keeps_state else None
        self.try_number, self.max_tries = 0, scenario.retries
        self.began_with = scenario.before
        self.succeeded = False
        #: Whether anybody can know what the tries since the task was started, or cleared, have added.
        self.is_clear = True
        world.reset(latency=scenario.latency, jitter=scenario.jitter, timeout=scenario.timeout)
        standing = as_sent(scenario.kind, scenario.granularity, scenario.before)
        self._put(NAME, standing)
        self._put(OTHER, standing[:1])
        self.others = self.held(OTHER)
        world.sandbox.settings = changed(world.sandbox.settings, scenario.settings)

    def _put(self, name: str, requests: list[list[dict[str, Any]]]) -> None:
        for records in requests:
            path = f"/unit-cost/v1/telemetry/{self.scenario.kind}/{name}/sum"
            assert self.world.request("POST", path, {"records": records}).ok

    def held(self, name: str = NAME) -> Held:
        """What the sandbox holds of a stream, exactly; nothing of one that there is not."""
        pieces = open_records(self.world.sandbox.database, name)
        return held_of(json.loads(b"".join(pieces))["records"]) if pieces else {}

    def attempt(self, script: Script, *, shuffled: bool = False) -> Ending:
        """Run the task's next try, and hold what it leaves against what it may leave."""
        self._begin(script)
        self.is_clear &= not shuffled
        had_to_succeed, was_settled = self._has_to_succeed(), not self.world.clock.holds_any
        before, fired = self.held(), self.world.fired.copy()
        ending = self.world.run(lambda: self._execute(shuffled=shuffled), script)
        faults = set(self.world.fired - fired) - {"killed", "interrupted"}
        self.is_clear &= not (_stopped(ending) or faults - SURELY_NOT_ADDED)
        self._check_held(ending)
        self._check_requests(ending)
        self._check_retry(ending)
        if was_settled and not any(request["applied"] for request in ending.requests):
            assert self.held() == before
        if ending.raised is not None and not _stopped(ending):
            self._check_error(ending, had_to_succeed=had_to_succeed and not faults)
        return ending

    def _begin(self, script: Script) -> None:
        self.try_number += 1
        self.is_retry = self.try_number > 1 and not script.cleared
        if self.try_number > 1:
            self.world.wait(script.pause)
            if script.cleared:
                self._clear()

    def _clear(self) -> None:
        """Someone has waited, looked at what CloudZero holds, and says "send it again"."""
        self.world.settle()
        self.max_tries = self.try_number - 1 + self.scenario.retries
        self.is_clear, self.succeeded = True, False
        if self.order.operation == "sum":
            self.began_with = self.held()

    def _execute(self, *, shuffled: bool) -> Any:
        task = TelemetrySendOperator(task_id="send", stream_name=NAME, **self.scenario.arguments(shuffled=shuffled))
        given = context(task, try_number=self.try_number, max_tries=self.max_tries)
        given["task_state_store"] = None if self.store is None else self.world.store(self.store)
        return task.execute(given)

    def _check_held(self, ending: Ending) -> None:
        """
        After a success, each record is held once; else each is in or is not.

        A later try changes nothing. Where it fails, what it has cleared, or replaced by other records, may be missing.
        """
        held = self.held()
        self.succeeded |= ending.result is not None
        if self.succeeded:
            after = self.order.after(self.began_with)
            if ending.raised is None or self.order.operation == "sum":
                assert held == after
            assert misfits(held, self.order.in_between(after)) == []
        assert misfits(held, self.order.in_between(self.began_with)) == []

    def _check_requests(self, ending: Ending) -> None:
        """One request at a time, none under way at the end, and not for ever."""
        assert not any(request["overlapped"] for request in ending.requests)
        if ending.requests and not _stopped(ending):
            assert not self.world.clock.holds_any, "a request may be applied after the end"
        one = MAX_RETRY_SECONDS + self.scenario.timeout + SETTLE_SECONDS + 2 * self.scenario.latency
        assert ending.seconds <= SETTLE_SECONDS + (3 * len(self.order.records) + 1) * one

    def _check_retry(self, ending: Ending) -> None:
        """Where nothing is kept over the tries, nobody knows what the one before has added."""
        if self.is_retry and self.store is None and self.order.operation == "sum":
            assert isinstance(ending.raised, AmbiguousWriteError)
            assert not ending.requests

    def _check_error(self, ending: Ending, *, had_to_succeed: bool) -> None:
        error = ending.raised
        if isinstance(error, AirflowSkipException):
            assert not self.order.records
            assert not ending.requests
            return
        assert not had_to_succeed, repr(error)
        assert isinstance(error, CloudZeroError), repr(error)
        assert isinstance(error, AirflowException)
        assert isinstance(error, AirflowFailException) is not error.retry_can_help
        assert KEY not in f"{error!r} {error}"
        assert self.order.is_refused() is isinstance(error, InputError) or isinstance(error, AmbiguousWriteError)
        assert not (isinstance(error, InputError) and ending.requests)

    def _has_to_succeed(self) -> bool:
        """Whether a try that nothing happens to has no excuse."""
        deletes_from_nothing = self.order.operation == "delete" and not self.scenario.before
        if self.order.is_refused() or deletes_from_nothing:
            return False
        is_known = self.is_clear and (self.store is not None or not self.is_retry)
        return is_known or self.order.operation != "sum"


def heals(trial: Trial) -> Ending:
    """A run without faults ends as it must, and one more changes nothing; what was cleared is sent again."""
    healed = trial.attempt(Script(pause=1.0))
    again = trial.attempt(Script(pause=1.0))
    assert type(again.raised) is type(healed.raised)
    if trial.order.operation == "sum":
        trial.attempt(Script(pause=1.0, cleared=True))
    assert trial.held(OTHER) == trial.others
    return healed


def _stopped(ending: Ending) -> bool:
    return isinstance(ending.raised, (Killed, Interrupted))
