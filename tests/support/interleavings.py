"""
Runs functions side by side in every order of their steps, one step at a time.

A function makes a step with each call of an object that :meth:`Turns.taking` wraps. Which function goes on is decided
before every step, so that each order can be repeated. All orders with at most so many preemptions are run: switches
away from a function that could have gone on. Most races need one or two.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Function = Callable[[Any], Any]


@dataclass(frozen=True)
class Decision:
    """Who could go on before a step, who had made the step before it, and who was chosen."""

    ready: tuple[int, ...]
    last: int | None
    chosen: int

    @property
    def is_preemption(self) -> bool:
        return self.last in self.ready and self.chosen != self.last

    def others(self) -> list[Decision]:
        return [Decision(self.ready, self.last, each) for each in self.ready if each != self.chosen]


@dataclass
class Turns:
    """One order of steps."""

    prefix: list[int]
    decisions: list[Decision] = field(default_factory=list)
    #: Each step: who, and what it called.
    steps: list[str] = field(default_factory=list)
    #: What each function returned, or raised.
    results: dict[int, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: dict[int, str] = {}
        self._turn: int | None = None

    def run(self, functions: list[Callable[[], Any]], after_step: Callable[[], None]) -> None:
        """
        Run functions to their ends.

        :param after_step: called after each step, while none of them goes on.
        """
        threads = [threading.Thread(target=self._run, args=(number, each)) for number, each in enumerate(functions)]
        for thread in threads:
            thread.start()
        try:
            while ready := self._wait(len(functions)):
                self._step(ready)
                self._wait(len(functions))
                after_step()
        finally:
            # Without a prefix that is left, the rest runs in any order.
            while ready := self._wait(len(functions)):
                self._step(ready)
            for thread in threads:
                thread.join()

    def taking(self, number: int, target: Any) -> Any:
        """Wrap an object, each of whose methods is a step of a function."""
        return _Steps(self, number, target)

    def _run(self, number: int, function: Callable[[], Any]) -> None:
        try:
            result = function()
        except Exception as error:
            result = error
        with self._changed:
            self.results[number] = result
            self._turn = None
            self._changed.notify_all()

    def _wait(self, count: int) -> tuple[int, ...]:
        """Wait until every function waits for its turn, or has ended; return those that wait."""
        with self._changed:
            done = self._changed.wait_for(
                lambda: self._turn is None and len(self._waiting) + len(self.results) == count, 60
            )
            assert done, f"a step does not end: {self.steps}"
            return tuple(sorted(self._waiting))

    def _step(self, ready: tuple[int, ...]) -> None:
        last = self.decisions[-1].chosen if self.decisions else None
        place = len(self.decisions)
        chosen = self.prefix[place] if place < len(self.prefix) else last if last in ready else ready[0]
        self.decisions.append(Decision(ready, last, chosen))
        with self._changed:
            self.steps.append(f"{chosen}: {self._waiting.pop(chosen)}")
            self._turn = chosen
            self._changed.notify_all()

    def wait_for_turn(self, number: int, what: str) -> None:
        with self._changed:
            self._waiting[number] = what
            if self._turn == number:
                self._turn = None
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._turn == number)


class _Steps:
    def __init__(self, turns: Turns, number: int, target: Any) -> None:
        self._turns, self._number, self._target = turns, number, target

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        if not callable(found):
            return found

        def step(*arguments: Any) -> Any:
            self._turns.wait_for_turn(self._number, f"{name} {arguments[-1 if name == 'upload' else 0]}")
            return found(*arguments)

        return step


def orders(run: Callable[[Turns], None], preemptions: int) -> Iterator[Turns]:
    """
    Run every order.

    :param run: calls ``Turns.run`` with new functions.
    :param preemptions: at most so many in an order.
    """
    prefixes: list[list[int]] = [[]]
    while prefixes:
        turns = Turns(prefix := prefixes.pop())
        run(turns)
        yield turns
        decided = turns.decisions
        for place in range(len(prefix), len(decided)):
            before = [each.chosen for each in decided[:place]]
            used = sum(each.is_preemption for each in decided[:place])
            prefixes += [
                [*before, other.chosen]
                for other in decided[place].others()
                if used + other.is_preemption <= preemptions
            ]
