"""
Run tasks in thousands of random scenarios of faults, kills and reruns, spread over processes.

    python scripts/fire.py drops --scenarios 10000 --processes 2

It prints the seed, which repeats the same scenarios, and counts of what happened in them.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
TESTS = {"drops": "tests/fire/test_drops_under_fire.py", "telemetry": "tests/fire/test_telemetry_under_fire.py"}


def main() -> int:
    """Run the scenarios; return 0 if every promise held in all of them."""
    parser = _parser()
    chosen = parser.parse_args()
    if chosen.replace_match and chosen.kind != "telemetry":
        parser.error("--replace-match applies to telemetry only")
    print(f"seed: {chosen.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        shares = list(_shares(chosen.scenarios, chosen.processes, chosen.seed))
        tallies = [Path(folder, str(number)) for number in range(len(shares))]
        running = [
            _start(TESTS[chosen.kind], scenarios, seed, tally, chosen.replace_match)
            for (scenarios, seed), tally in zip(shares, tallies, strict=True)
        ]
        codes = [_finish(process, tallies) for process in running]
        _report(_read(tallies))
    return max(codes)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=sorted(TESTS))
    parser.add_argument("--scenarios", type=int, default=10_000, help="number of scenarios (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32), help="random by default")
    parser.add_argument("--processes", type=int, default=1, help="number of processes (default: %(default)s)")
    parser.add_argument(
        "--replace-match",
        choices=("identity", "properties"),
        help="how CloudZero matches a telemetry replace; random by default",
    )
    return parser


def _shares(scenarios: int, processes: int, seed: int) -> Iterator[tuple[int, int]]:
    """Yield the number of scenarios and the seed of each process; a single process uses the given seed."""
    draw = random.Random(seed)
    for number in range(processes):
        share = scenarios // processes + (number < scenarios % processes)
        if share:
            yield share, draw.randrange(2**32) if processes > 1 else seed


def _start(tests: str, scenarios: int, seed: int, tally: Path, replace_match: str | None) -> subprocess.Popen[str]:
    environment = {
        **({"CLOUDZERO_REPLACE_MATCH": replace_match} if replace_match else {}),
        "CLOUDZERO_SCENARIOS": str(scenarios),
        "CLOUDZERO_SEED": str(seed),
        "CLOUDZERO_TALLY": str(tally),
        # Each month is small, and each process has its own core.
        "POLARS_MAX_THREADS": "1",
    }
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "--show-capture=no",
            "-p",
            "no:logging",
            "-p",
            "no:cacheprovider",
            tests,
        ],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _finish(process: subprocess.Popen[str], tallies: list[Path]) -> int:
    """Wait for a process; print the progress of all every minute, and its output if a promise was broken."""
    while True:
        try:
            printed, _ = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            done = sum(counts["scenarios"] for tally in _read(tallies) for counts in tally.values())
            print(f"{done:,} scenarios so far", flush=True)
        else:
            break
    if process.returncode:
        print(printed, flush=True)
    return process.returncode


def _read(tallies: list[Path]) -> list[dict[str, dict[str, int]]]:
    return [json.loads(tally.read_text()) for tally in tallies if tally.exists()]


def _report(tallies: list[dict[str, dict[str, int]]]) -> None:
    for kind in sorted({kind for tally in tallies for kind in tally}):
        counts: Counter[str] = Counter()
        for tally in tallies:
            counts.update(tally.get(kind, {}))
        print(f"{kind}:")
        for name, count in sorted(counts.items()):
            print(f"  {name}: {count:,}")


if __name__ == "__main__":
    sys.exit(main())
