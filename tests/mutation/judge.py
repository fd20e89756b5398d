"""
A pytest plugin that judges mutants of mutmut one after the other in one process, a hundred times as fast as a process each.

A mutant is switched on, and the tests that come by its function run, the quick ones first, until one fails. That test
must then pass with the mutant off: else what the mutant left behind would be taken for a kill, and the run ends there.

    cd mutants && MUTANT_UNDER_TEST= python -m pytest -p mutation.judge <tests>
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

from .settings import TALK_HTTP, draws

KILLED, SURVIVED, NO_TESTS, TIMEOUT = 1, 0, 33, 36
LONGEST = 30.0
STATS = Path("mutmut-stats.json")


class TooLong(BaseException):
    """A test takes so long that it may never end."""


class Judge:
    """Runs tests with and without mutants."""

    def __init__(self, session: pytest.Session) -> None:
        self.items = {item.nodeid: item for item in session.items}
        #: What comes next, for pytest: something that needs what stays for the whole session, and nothing else.
        self.next = SimpleNamespace(listchain=lambda: [session])
        stats = json.loads(STATS.read_text(encoding="utf-8"))
        self.durations: dict[str, float] = stats["duration_by_test"]
        self.tests: dict[str, set[str]] = defaultdict(set)
        for function, tests in stats["tests_by_mangled_function_name"].items():
            self.tests[function] = {test for test in tests if test in self.items}
        #: Function → the test that killed the last of its mutants first: it is likely to kill the next.
        self.killers: dict[str, list[str]] = defaultdict(list)
        self.timed_out = False
        signal.signal(signal.SIGALRM, self._stop)

    def _stop(self, *_: Any) -> None:
        self.timed_out = True
        raise TooLong

    def passes(self, test: str) -> bool:
        signal.setitimer(signal.ITIMER_REAL, LONGEST)
        began = time.perf_counter()
        item = self.items[test]
        try:
            reports = runtestprotocol(item, log=False, nextitem=self.next)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            self.durations.setdefault(test, time.perf_counter() - began)
        self.why = next((report.longreprtext for report in reports if report.failed), "")
        return not self.why

    def learn(self) -> None:
        """Find which functions the tests come by that are new."""
        known = set().union(*self.tests.values()) | set(self.durations)
        for test in self.items.keys() - known:
            set_mutant_under_test("stats")
            state()._stats.clear()
            if not self.passes(test):
                sys.exit(f"{test} fails without any mutant: {self.why}")
            for function in state()._stats:
                self.tests[function].add(test)
        set_mutant_under_test("")

    def judge(self, mutant: str) -> int:
        tests = self.tests.get(mangled_name_from_mutant_name(mutant), set())
        if not any(f".{module}." in mutant for module in TALK_HTTP):
            tests = {test for test in tests if test.startswith("tests/unit/")} or tests
        if not tests:
            return NO_TESTS
        killers = self.killers[mangled_name_from_mutant_name(mutant)]
        others = sorted(tests - set(killers), key=lambda test: (draws(self.items[test]), self.durations[test], test))
        for test in [*killers, *others]:
            set_mutant_under_test(mutant)
            self.timed_out = False
            passed, timed_out = self.passes(test), self.timed_out
            set_mutant_under_test("")
            if not passed:
                if not self.passes(test) and not self.passes(test):
                    sys.exit(f"{test} still fails after {mutant}: {self.why}")
                if test in killers:
                    killers.remove(test)
                killers.insert(0, test)
                return TIMEOUT if timed_out else KILLED
        return SURVIVED


def pytest_runtestloop(session: pytest.Session) -> bool:
    judge = Judge(session)
    judge.learn()
    again = os.environ.get("JUDGE_AGAIN", "").split()
    part = os.environ.get("JUDGE_PART", "")
    for path in sorted((Path("cloudzero_provider") / part).rglob("*.meta"), key=lambda path: "focus" in path.parts):
        found = json.loads(path.read_text(encoding="utf-8"))
        codes = found["exit_code_by_key"]
        for number, (mutant, code) in enumerate(codes.items()):
            if number % 50 == 0:
                path.write_text(json.dumps(found, indent=4), encoding="utf-8")
            if code is None or (code != KILLED and any(name in mutant for name in again)):
                codes[mutant] = judge.judge(mutant)
                print(judge_line(mutant, codes[mutant]), file=sys.__stderr__, flush=True)
        path.write_text(json.dumps(found, indent=4), encoding="utf-8")
    return True


def judge_line(mutant: str, code: int) -> str:
    return f"{time.strftime('%X')} {mutant} {code}"
