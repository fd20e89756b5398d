"""Telemetry under fire: whatever is lost, repeated, throttled or killed, what CloudZero then holds is true."""

from __future__ import annotations

from collections import Counter
from typing import Any

from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSkipException
from fire_script import SETTLE_SECONDS, Interrupted, Killed, Script
from hypothesis import HealthCheck, given, settings
from sandbox_client import KEY
from stores import Store
from tasks import context
from telemetry_scenarios import Scenario, as_sent, scenarios
from telemetry_truth import Held, held_of, misfits

from cloudzero_provider.exceptions import AmbiguousWriteError, CloudZeroError, InputError, RequestRejectedError
from cloudzero_provider.operators.telemetry import TelemetrySendOperator
from cloudzero_provider.sandbox.settings import changed
from cloudzero_provider.sandbox.throttle import Throttle

NAME, OTHER = "under-fire", "another"
MAX_RETRY_SECONDS = 600
#: Answers after which everybody knows that nothing was added.
SURELY_NOT_ADDED = {"refuse 401", "refuse 403", "refuse 429", "refuse 503", "no_connection"}
OUTCOMES: Counter[str] = Counter()


def held(world: Any, name: str = NAME) -> Held:
    reply = world.request("GET", f"/sandbox/telemetry/{name}/records")
    return held_of(reply.json()["records"]) if reply.ok else {}


class Trial:
    """A scenario on its way: the tries of its task, and what may be held after each."""

    def __init__(self, world: Any, scenario: Scenario) -> None:
        self.world, self.scenario, self.order = world, scenario, scenario.order
        self.store = Store() if scenario.keeps_state else None
        self.try_number, self.max_tries = 0, scenario.retries
        self.began_with = scenario.before
        #: Whether somebody can know what the tries since the task was started, or cleared, have added.
        self.is_clear = True
        self.succeeded = False

    def prepare(self) -> None:
        world, scenario = self.world, self.scenario
        world.reset(latency=scenario.latency, jitter=scenario.jitter, timeout=scenario.timeout)
        # Its clock went back with the reset.
        world.sandbox.throttle = Throttle()
        for name in (NAME, OTHER):
            for records in as_sent(scenario.kind, scenario.granularity, scenario.before):
                path = f"/unit-cost/v1/telemetry/{scenario.kind}/{name}/sum"
                assert world.request("POST", path, {"records": records}).ok
        world.sandbox.settings = changed(world.sandbox.settings, scenario.settings)

    def run(self, script: Script, *, shuffled: bool = False) -> Any:
        """Run the next try, and hold what it left against what it may leave."""
        self._start(script)
        before, fired = held(self.world), Counter(self.world.fired)
        self.was_settled = not self.world.clock.holds_any
        operator = TelemetrySendOperator(
            task_id="send", stream_name=NAME, **self.scenario.arguments(shuffled=shuffled)
        )
        given = context(operator, try_number=self.try_number, max_tries=self.max_tries)
        given["task_state_store"] = None if self.store is None else self.world.store(self.store)
        ending = self.world.run(lambda: operator.execute(given), script)
        faults = set(self.world.fired - fired)
        self._check(ending, before, faults, shuffled=shuffled)
        return ending

    def _start(self, script: Script) -> None:
        self.try_number += 1
        self.is_retry = self.try_number > 1 and not script.cleared
        if self.try_number > 1:
            self.world.wait(script.pause)
        if self.try_number > 1 and script.cleared:
            self.max_tries = self.try_number - 1 + self.scenario.retries
            # Whoever clears the task has seen what CloudZero holds.
            self.world.settle()
            self.is_clear, self.succeeded = True, False
            if self.order.operation == "sum":
                self.began_with = held(self.world)

    def _check(self, ending: Any, before: Held, faults: set[str], *, shuffled: bool) -> None:
        now = held(self.world)
        stopped = isinstance(ending.raised, (Killed, Interrupted))
        OUTCOMES[type(ending.raised).__name__ if ending.raised else "success"] += 1
        assert not any(request["overlapped"] for request in ending.requests)
        assert ending.seconds <= self._longest()
        if not stopped and ending.requests:
            assert not self.world.clock.holds_any, "a request may still be applied"
        if ending.raised is None:
            assert now == self.order.after(self.began_with)
            self.succeeded = True
        elif not stopped:
            self._check_error(ending)
        if self.succeeded:
            assert now == self.order.after(self.began_with)
        assert misfits(now, self.order.in_between(self.began_with)) == []
        if self.was_settled and not any(request["applied"] for request in ending.requests):
            assert now == before
        expected = self._must_succeed() and not faults
        self.is_clear &= not (stopped or shuffled or faults - SURELY_NOT_ADDED)
        if expected and not stopped:
            assert ending.raised is None or isinstance(ending.raised, AirflowSkipException), ending.raised

    def _check_error(self, ending: Any) -> None:
        error = ending.raised
        if isinstance(error, AirflowSkipException):
            assert not self.order.records
            assert not ending.requests
            return
        assert isinstance(error, CloudZeroError), error
        assert isinstance(error, AirflowFailException) is not error.retry_can_help
        assert KEY not in f"{error!r} {error}"
        if self.order.is_refused() and not isinstance(error, AmbiguousWriteError):
            assert isinstance(error, InputError)
        if isinstance(error, InputError):
            assert self.order.is_refused(), error
            assert not ending.requests

    def _longest(self) -> float:
        requests = 3 * len(self.order.records) + 1
        one = MAX_RETRY_SECONDS + self.scenario.timeout + SETTLE_SECONDS + 2 * self.scenario.latency
        return SETTLE_SECONDS + requests * one

    def _must_succeed(self) -> bool:
        """Whether a try that nothing happens to has no excuse."""
        deletes_from_nothing = self.order.operation == "delete" and not self.scenario.before
        if self.order.is_refused() or deletes_from_nothing:
            return False
        adds = self.order.operation == "sum"
        return not adds or (self.is_clear and (self.store is not None or not self.is_retry))


def carry_out(world: Any, scenario: Scenario) -> None:
    """Let a scenario happen, then run the task as often as it takes, and once more."""
    trial = Trial(world, scenario)
    trial.prepare()
    for script, shuffled in zip(scenario.scripts, scenario.shuffled, strict=True):
        trial.run(script, shuffled=shuffled)
    healed = trial.run(Script(pause=1.0))
    again = trial.run(Script(pause=1.0))
    if isinstance(healed.raised, RequestRejectedError):
        assert scenario.order.operation == "delete"
        assert not scenario.before
    assert type(again.raised) is type(healed.raised)
    if scenario.order.operation == "sum":
        trial.run(Script(pause=1.0, cleared=True))
    assert held(world, OTHER) == scenario.before


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(scenarios())
def test_what_cloudzero_holds_is_true_whatever_happens_to_the_tries_of_a_task(world, scenario):
    carry_out(world, scenario)
