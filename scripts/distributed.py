"""
Send many streams with several Celery workers, which are killed meanwhile, and check every row.

    PYTHONPATH=tests .venv/distributed/bin/python scripts/distributed.py --results folder

``make test-distributed`` runs it with four AnyCost and four telemetry streams of six months. Two years of many streams,
and throughput by the number of streams and of workers:

    … scripts/distributed.py --anycost 20 --telemetry 20 --months 24 --kills 24 --limit 10800 --results folder
    … scripts/distributed.py --growth --results folder

It starts PostgreSQL, Redis, S3, the sandbox and a complete Airflow on this machine, all in temporary folders and on
free ports, and ends them. Workers are killed at random moments and come back; Redis and PostgreSQL restart once each.
Then every row, request, task and pool is checked: the exit code is 1 if one is wrong. The results are ``results.json``
and ``results.md``, or ``growth.json``, ``growth.md`` and ``growth.svg``; the output of all processes is in ``logs``
beside them.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import time
from pathlib import Path

from demo_airflow import DemoError
from demo_processes import Stopped, StopSignals, adopt_orphans
from distributed_run import growth, outcome as outcomes
from distributed_run.outcome import Size
from distributed_run.run import Plan, run, say

SHOWN_LINES = 40


def main(arguments: list[str]) -> int:
    """Run, write the results, and return the exit code."""
    options = _options(arguments)
    adopt_orphans()
    signals = StopSignals()
    try:
        return _growth(options, signals) if options.growth else _checked(options, signals)
    except DemoError as error:
        say(f"\nFailed: {error}")
        for log in error.logs:
            lines = log.read_text(errors="replace").splitlines()[-SHOWN_LINES:]
            say("\n".join([f"--- end of {log}", *lines]))
        return 1
    except Stopped as stopped:
        say(f"\nStopped ({stopped}).")
        return 128 + stopped.number


def _checked(options: argparse.Namespace, signals: StopSignals) -> int:
    say(f"seed {options.seed}")
    began = time.monotonic()
    size = Size(options.anycost, options.telemetry, options.months, options.workers, options.slots)
    plan = Plan(size, options.kills, options.seed, options.limit)
    outcome = run(plan, signals, _empty(options.results / "logs"))
    outcomes.write(outcome, options.results)
    say(f"\n{outcomes.markdown(outcome)}")
    say(f"{'Right' if outcome.is_right else 'WRONG'}, in {time.monotonic() - began:.0f} s: {options.results}")
    return 0 if outcome.is_right else 1


def _growth(options: argparse.Namespace, signals: StopSignals) -> int:
    points = growth.measure(options.results, signals, len(os.sched_getaffinity(0)))
    say(f"\n{growth.table(points)}")
    return 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--anycost", type=int, default=4, help="number of AnyCost streams (default: %(default)s)")
    parser.add_argument("--telemetry", type=int, default=4, help="number of telemetry streams (default: %(default)s)")
    parser.add_argument("--months", type=int, default=6, help="months of each stream (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="number of Celery workers (default: %(default)s)")
    parser.add_argument("--slots", type=int, default=4, help="tasks of a worker at a time (default: %(default)s)")
    parser.add_argument("--kills", type=int, default=8, help="kills of workers; 0: no faults (default: %(default)s)")
    parser.add_argument("--limit", type=float, default=900, help="seconds for the backfill (default: %(default)s)")
    parser.add_argument("--growth", action="store_true", help="measure throughput, without faults")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--results", type=Path, default=Path(".distributed"), help="folder (default: %(default)s)")
    return parser.parse_args(arguments)


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
