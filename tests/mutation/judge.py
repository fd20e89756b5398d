"""
A pytest plugin that judges mutmut's mutants one after the other, in one process.

A mutant is enabled, and the tests that reach its function run until one fails. That test must then pass without the mutant:
otherwise state that a mutant left behind could count as a kill, so the run stops. mutmut itself starts a process per mutant,
which is many times slower, and polars' threads do not survive a fork.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from _pytest.runner import runtestprotocol
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state
from mutmut.utils.format_utils import mangled_name_from_mutant_name

from .few_examples import draws, with_few_examples

# mutmut's codes, as in its files.
KILLED, SURVIVED, NO_TESTS, TIMEOUT = 1, 0, 33, 36
#: Modules that send requests are judged by all tests; the others by the unit tests alone, which are faster.
TALK_HTTP = ("anycost.send", "anycost.execute_plan", "anycost.readback", "telemetry.send")
LONGEST_SECONDS = 30.0
#: Of a test without a mutant: the first ones read everything that is imported.
LONGEST_FIRST_SECONDS = 300.0
#: A mutant that makes all tests together this many times slower, plus these seconds, counts as detected.
SLOWER = 4
SLOWER_SECONDS = 20.0


class TooLongError(BaseException):
    """A test takes too long and may never end."""


class Judge:
    """Runs tests with and without mutants."""

    def __init__(self, session: pytest.Session) -> None:
        self.items = {item.nodeid: item for item in session.items}
        #: Passed to pytest as the next item: it keeps session fixtures alive and nothing else.
        self.next = SimpleNamespace(listchain=lambda: [session])
        self.seconds: dict[str, float] = {}
        self.tests: dict[str, set[str]] = defaultdict(set)
        #: Function → the tests that killed its mutants, latest first: it is likely to kill the next.
        self.killers: dict[str, list[str]] = defaultdict(list)
        self.why = ""
        self.timed_out = False
        signal.signal(signal.SIGALRM, self._stop)
        for test in self.items:
            self._learn(test)

    def _stop(self, *_: Any) -> None:
        self.timed_out = True
        raise TooLongError

    def _learn(self, test: str) -> None:
        """Find which functions a test reaches, and check that it passes."""
        state()._stats.clear()
        began = time.perf_counter()
        if not self._passes(test, mutant="stats", longest=LONGEST_FIRST_SECONDS):
            sys.exit(f"{test} fails without any mutant:\n{self.why}")
        self.seconds[test] = time.perf_counter() - began
        for function in state()._stats:
            self.tests[function].add(test)

    def _passes(self, test: str, *, mutant: str = "", longest: float = LONGEST_SECONDS) -> bool:
        self.timed_out = False
        set_mutant_under_test(mutant)
        signal.setitimer(signal.ITIMER_REAL, longest)
        try:
            reports = runtestprotocol(self.items[test], log=False, nextitem=self.next)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            set_mutant_under_test("")
        self.why = next((report.longreprtext for report in reports if report.failed), "")
        return not self.why

    def verdict(self, mutant: str) -> int:
        """Judge a mutant."""
        function = mangled_name_from_mutant_name(mutant)
        tests = self.tests[function]
        if not any(f".{module}." in mutant for module in TALK_HTTP):
            tests = {test for test in tests if "/unit/" in test} or tests
        killers = [test for test in self.killers[function] if test in tests]
        latest = time.perf_counter() + SLOWER_SECONDS + SLOWER * sum(self.seconds[test] for test in tests)
        others = sorted(tests - set(killers), key=lambda test: (draws(self.items[test]), self.seconds[test], test))
        for test in [*killers, *others]:
            if not self._passes(test, mutant=mutant):
                verdict = TIMEOUT if self.timed_out else KILLED
                # On a busy machine, a test with timeouts may fail once.
                if not self._passes(test) and not self._passes(test):
                    sys.exit(f"{test} still fails after {mutant}:\n{self.why}")
                self.killers[function] = [test, *(killer for killer in self.killers[function] if killer != test)]
                return verdict
            if time.perf_counter() > latest:
                return TIMEOUT
        return SURVIVED if tests else NO_TESTS


def to_judge() -> list[tuple[Path, str]]:
    """Mutants that are not killed yet, unjudged ones first, as survivors take long."""
    known = [
        (verdict is not None, path, mutant)
        for path in Path(os.environ["JUDGED"]).rglob("*.meta")
        for mutant, verdict in json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"].items()
        if verdict != KILLED
    ]
    return [(path, mutant) for _, path, mutant in sorted(known, key=lambda found: found[:2])]


def pytest_collection_modifyitems(items: list[Any]) -> None:
    for item in filter(draws, items):
        with_few_examples(item)


def pytest_runtestloop(session: pytest.Session) -> bool:
    judge = Judge(session)
    for path, mutant in to_judge():
        found = json.loads(path.read_text(encoding="utf-8"))
        found["exit_code_by_key"][mutant] = verdict = judge.verdict(mutant)
        path.write_text(json.dumps(found, indent=4), encoding="utf-8")
        print(time.strftime("%X"), mutant, verdict, file=sys.__stderr__, flush=True)
    return True
