"""
Run the tests in the environment of each line of Airflow, and summarize the results by line.

``make test-matrix`` runs ``python scripts/test_matrix.py 2.11=.venv/airflow-2.11 ... 3.3=.venv``, the newest line last.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time

# Only reads reports that pytest wrote for this script.
import xml.etree.ElementTree as ET  # nosec B405
from dataclasses import dataclass
from pathlib import Path

#: The sandbox does not import Airflow, so its own tests run on the newest line only.
SANDBOX = "tests/contract/sandbox"
SUITES = {
    "unit": ["tests/unit"],
    "contract": ["-n", "2", "--dist", "loadfile", "tests/contract"],
    # In one process: with 2.11, tests of what dag.test prints fail in pytest-xdist's workers.
    "airflow": ["-m", "not long", "tests/airflow"],
}


@dataclass
class Result:
    """The result of a suite on a line."""

    ok: bool
    summary: str


def main(arguments: list[str]) -> int:
    """Run every suite on every line, even after failures, and return the exit code."""
    lines = dict(argument.split("=", 1) for argument in arguments)
    newest = arguments[-1].split("=", 1)[0]
    results: dict[str, dict[str, Result]] = {}
    for line, environment in lines.items():
        for suite, options in SUITES.items():
            print(f"\n=== Airflow {line}: {suite} ===", flush=True)
            ignored = [] if line == newest else ["--ignore", SANDBOX]
            results.setdefault(line, {})[suite] = run(Path(environment), [*options, *ignored])
    print()
    for line, suites in results.items():
        summaries = "; ".join(f"{suite}: {result.summary}" for suite, result in suites.items())
        print(f"Airflow {line:<5} {'ok    ' if all(r.ok for r in suites.values()) else 'FAILED'} {summaries}")
    return 0 if all(result.ok for suites in results.values() for result in suites.values()) else 1


def run(environment: Path, options: list[str]) -> Result:
    """Run pytest with these options in an environment."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [environment / "bin/python", "-m", "pytest", "--junit-xml", report, *options]
        code = subprocess.run(command, check=False).returncode
        summary = counts(report) if report.exists() else f"pytest exited with {code}"
    return Result(code == 0, f"{summary} in {time.monotonic() - started:.0f} s")


def counts(report: Path) -> str:
    """Return the numbers of tests in a report that passed, failed and were skipped."""
    count = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    for suite in ET.parse(report).getroot().iter("testsuite"):  # nosec B314
        for name in count:
            count[name] += int(suite.get(name, 0))
    failed = count["failures"] + count["errors"]
    parts = [f"{count['tests'] - failed - count['skipped']} passed"]
    parts += [f"{failed} failed"] if failed else []
    parts += [f"{count['skipped']} skipped"] if count["skipped"] else []
    return ", ".join(parts)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
