"""Journeys under many settings, several at a time: each has a sandbox of its own, and mostly waits."""

from __future__ import annotations

import json
import queue
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from contract.unknowns.drop_journey import DROP_STEPS
from contract.unknowns.journeys import Outcome, World, run_journey
from contract.unknowns.possibilities import AREAS, DROPS, PAIRS, TELEMETRY, Values
from contract.unknowns.telemetry_journey import TELEMETRY_STEPS
from support.sandbox_server import SandboxServer

STEPS = {DROPS: DROP_STEPS, TELEMETRY: TELEMETRY_STEPS}
AT_A_TIME = 12


@dataclass(frozen=True)
class Run:
    """A journey and the settings that it is under, as JSON."""

    journey: str
    settings: str


Results = dict[Run, dict[str, Outcome]]


def run_of(journey: str, settings: Values) -> Run:
    return Run(journey, json.dumps(settings, sort_keys=True))


def single_runs() -> list[Run]:
    """Each possibility alone, and the defaults."""
    unknowns = [unknown for area in AREAS.values() for unknown in area]
    runs = [run_of(journey, {}) for journey in STEPS]
    runs += [
        run_of(journey, settings)
        for unknown in unknowns
        for settings in unknown.possibilities()
        for journey in unknown.journeys
    ]
    return list(dict.fromkeys(runs))


def pair_runs() -> list[Run]:
    return [run_of(journey, settings) for journey, settings in PAIRS]


@contextmanager
def worlds(folder: Path, count: int = AT_A_TIME) -> Iterator[queue.Queue[World]]:
    folder.mkdir(exist_ok=True)
    servers = [SandboxServer(folder / f"world-{number}") for number in range(count)]
    free: queue.Queue[World] = queue.Queue()
    for number, server in enumerate(servers):
        free.put(World(server, number))
    try:
        yield free
    finally:
        for server in servers:
            server.stop()


def _let_airflow_2_run_here() -> None:
    """Airflow 2 keeps a note of who runs an operator per thread, and makes it for the first one only."""
    if version("apache-airflow").startswith("2."):
        from airflow.models.baseoperator import ExecutorSafeguard

        ExecutorSafeguard._sentinel.callers = {}


def results_of(runs: Iterable[Run], folder: Path) -> Results:
    """Run them all."""
    wanted = list(runs)
    with worlds(folder) as free, ThreadPoolExecutor(AT_A_TIME, initializer=_let_airflow_2_run_here) as pool:

        def one(run: Run) -> dict[str, Outcome]:
            world = free.get()
            try:
                return run_journey(world, STEPS[run.journey], json.loads(run.settings))
            finally:
                free.put(world)

        return dict(zip(wanted, pool.map(one, wanted), strict=True))
