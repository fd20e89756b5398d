"""Task instances that share a DAG run: its XComs, and the states of its instances."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any


@dataclass
class DagRun:
    """What Airflow stores of a run: XComs and states by task and map index."""

    xcoms: dict[tuple[str, int, str], Any] = field(default_factory=dict)
    states: dict[tuple[str, int], str | None] = field(default_factory=dict)
    #: Called before each request to Airflow with the instance and the kind of request.
    before: Callable[[tuple[str, int], str], None] = lambda *_: None


class RunInstance:
    """A running instance of a task."""

    dag_id, run_id = "dag", "run"

    def __init__(self, run: DagRun, task_id: str, map_index: int = -1, *, try_number: int = 1) -> None:
        self.run, self.task_id, self.map_index = run, task_id, map_index
        self.try_number, self.max_tries = try_number, 0
        run.states[task_id, map_index] = "running"
        for key in [key for key in run.xcoms if key[:2] == (task_id, map_index)]:
            del run.xcoms[key]  # as Airflow does when an instance starts

    def _ask(self, what: str) -> None:
        self.run.before((self.task_id, self.map_index), what)

    def xcom_push(self, *, key: str, value: Any) -> None:
        if key == "cloudzero_claim":
            self._ask("push")
        self.run.xcoms[self.task_id, self.map_index, key] = json.loads(json.dumps(value))

    def xcom_pull(self, *, task_ids: list[str], key: str) -> list[Any]:
        self._ask("pull")
        return [value for (task_id, _, name), value in self.run.xcoms.items() if task_id in task_ids and name == key]

    def get_task_states(self, *, dag_id: str, task_ids: list[str], run_ids: list[str]) -> dict[str, Any]:
        self._ask("states")
        found = {
            task_id if index < 0 else f"{task_id}_{index}": state
            for (task_id, index), state in self.run.states.items()
            if task_id in task_ids
        }
        return {self.run_id: found} if found else {}


def context_of(instance: RunInstance, tasks: Iterable[Any], task: Any) -> dict[str, Any]:
    """The context that a worker passes to ``execute``, in a DAG with several tasks."""
    by_id = {each.task_id: each for each in tasks}
    dag = SimpleNamespace(tasks=list(by_id.values()), get_task=by_id.__getitem__)
    return {"ti": instance, "task": task, "dag_run": None, "dag": dag}


class Turns:
    """Makes threads take their steps in a given order; ended threads are skipped."""

    def __init__(self, order: Iterable[Any]) -> None:
        self.order = list(order)
        self.ended: set[Any] = set()
        self.changed = threading.Condition()

    def take(self, who: Any, _: str = "") -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self._next() in (who, None), timeout=30)
            if self.order:
                self.order.pop(0)
            self.changed.notify_all()

    def end(self, who: Any) -> None:
        with self.changed:
            self.ended.add(who)
            self.changed.notify_all()

    def _next(self) -> Any:
        while self.order and self.order[0] in self.ended:
            self.order.pop(0)
        return self.order[0] if self.order else None


def orders(steps: int) -> list[tuple[str, ...]]:
    """All interleavings of the steps of two threads."""
    every = range(2 * steps)
    return [tuple("a" if step in chosen else "b" for step in every) for chosen in itertools.combinations(every, steps)]
