"""
Runs the tests in the environment of each line of Airflow, and says at the end what passed where.

``python scripts/test_matrix.py 2.11=.venv/airflow-2.11 ... 3.3=.venv``, the newest last; ``make test-matrix`` does it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time

# Of reports that pytest wrote for this script.
import xml.etree.ElementTree as ET  # nosec B405
from dataclasses import dataclass
from pathlib import Path

#: The sandbox knows no Airflow, so its own tests run on one line only.
SANDBOX = "tests/contract/sandbox"
SUITES = {
    "unit": ["tests/unit"],
    "contract": ["-n", "2", "--dist", "loadfile", "tests/contract"],
    "airflow": ["tests/airflow"],
}


@dataclass
class Result:
    """What came of a suite on a line."""

    ok: bool
    text: str


def main(arguments: list[str]) -> int:
    """Run every suite on every line, the failed ones included, and return the exit code."""
    lines = dict(argument.split("=", 1) for argument in arguments)
    newest = arguments[-1].split("=", 1)[0]
    results: dict[str, dict[str, Result]] = {}
    for line, environment in lines.items():
        for suite, options in SUITES.items():
            print(f"\n=== Airflow {line}: {suite} ===", flush=True)
            more = [] if line == newest else ["--ignore", SANDBOX]
            results.setdefault(line, {})[suite] = run(Path(environment), [*options, *more])
    print()
    for line, suites in results.items():
        told = "; ".join(f"{suite}: {result.text}" for suite, result in suites.items())
        print(f"Airflow {line:<5} {'ok    ' if all(r.ok for r in suites.values()) else 'FAILED'} {told}")
    return 0 if all(result.ok for suites in results.values() for result in suites.values()) else 1


def run(environment: Path, options: list[str]) -> Result:
    """Run tests in an environment."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [environment / "bin/python", "-m", "pytest", "--junit-xml", report, *options]
        code = subprocess.run(command, check=False).returncode
        text = counts(report) if report.exists() else f"pytest ended with {code}"
    return Result(code == 0, f"{text} in {time.monotonic() - began:.0f} s")


def counts(report: Path) -> str:
    """Say how many tests of a report passed, failed and were left out."""
    count = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    for suite in ET.parse(report).getroot().iter("testsuite"):  # nosec B314
        for name in count:
            count[name] += int(suite.get(name, 0))
    failed = count["failures"] + count["errors"]
    told = [f"{count['tests'] - failed - count['skipped']} passed"]
    told += [f"{failed} failed"] if failed else []
    told += [f"{count['skipped']} skipped"] if count["skipped"] else []
    return ", ".join(told)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
