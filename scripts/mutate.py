"""
Run mutation tests: change the code in one place at a time, and check that a test fails.

``tests/mutation/survivors.md`` must list exactly the mutants that no test detects (survivors), with the reason. Results
are kept in ``mutants/``: the next run judges only changed code and the survivors. ``make clean`` deletes them.

    python scripts/mutate.py                    run, and print the results
    python scripts/mutate.py anycost            one part only (anycost or telemetry)
    python scripts/mutate.py [part] --results   print the results of the last run; mutmut browse shows them, too
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

from mutmut.__main__ import copy_also_copy_files, copy_src_dir, create_mutants
from mutmut.configuration import config
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code

ROOT = Path(__file__).parents[1]
SURVIVORS = ROOT / "tests" / "mutation" / "survivors.md"
PACKAGE = "cloudzero_provider"
PARTS = ("anycost", "telemetry")


def main() -> int:
    """Run, and print the results; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", choices=PARTS, help="both by default")
    parser.add_argument("--results", action="store_true", help="print the results of the last run")
    options = parser.parse_args()
    os.chdir(ROOT)
    if not options.results:
        make_mutants()
        judge_mutants(options.part)
    statuses = {name: status for name, status in read_statuses().items() if is_of(options.part, name)}
    for each in [options.part] if options.part else PARTS:
        print_score(each, statuses)
    survivors = [described(name) for name, status in sorted(statuses.items()) if status == "survived"]
    return compare(survivors, [line for line in listed() if is_of(options.part, f"{PACKAGE}.{line[2:]}")])


def make_mutants() -> None:
    """Write the mutants of all modules into copies of them."""
    Path("mutants").mkdir(exist_ok=True)
    shutil.rmtree("mutants/tests", ignore_errors=True)
    copy_src_dir()
    copy_also_copy_files()
    create_mutants(2)


def judge_mutants(part: str | None) -> None:
    """Run the tests that judge the mutants, in the copy."""
    command = [sys.executable, "-m", "pytest", "-p", "mutation.judge", "-p", "no:cacheprovider", "--assert=plain"]
    command += ["--tb=native", "--quiet", "--rootdir=.", *config().pytest_add_cli_args_test_selection]
    folder = ROOT / "mutants"
    # Looking for plugins in hundreds of packages is slow, and polars does not need a second thread.
    given = {
        "PYTHONPATH": f"{folder}:{folder / 'tests'}",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "POLARS_MAX_THREADS": "1",
        "JUDGED": f"{PACKAGE}/{part or ''}",
    }
    subprocess.run(command, check=True, cwd=folder, env={**os.environ, **given})


def read_statuses() -> dict[str, str]:
    """Read the status of each mutant."""
    found: dict[str, str] = {}
    for path in (ROOT / "mutants").rglob("*.meta"):
        codes = json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"]
        found |= {name: status_by_exit_code[code] for name, code in codes.items()}
    return found


def is_of(part: str | None, name: str) -> bool:
    """Whether a mutant belongs to the part; without one, always."""
    return part is None or name.startswith(f"{PACKAGE}.{part}.")


def print_score(part: str, statuses: dict[str, str]) -> None:
    """Print how many mutants of a part the tests detect."""
    counts = Counter(status for name, status in statuses.items() if is_of(part, name))
    judged = counts["killed"] + counts["survived"]
    score = f"{counts['killed'] / judged:.1%}" if judged else "none yet"
    print(f"{part}: {score} ({', '.join(f'{count:,} {status}' for status, count in counts.most_common())})")


def described(name: str) -> str:
    """Describe a mutant in one line by its function and change: its number depends on the code above it."""
    lines = [line for line in get_diff_for_mutant(name).splitlines() if not line.startswith(("---", "+++"))]
    before, after = (" ".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+")
    module, _, mangled = name.removeprefix(f"{PACKAGE}.").rpartition(".")
    function = mangled.removeprefix("x_").removeprefix("xǁ").rpartition("__mutmut_")[0].replace("ǁ", ".")
    return f"- {module}.{function}: `{before}` → `{after}`"


def listed() -> list[str]:
    """Read the listed survivors."""
    return [line for line in SURVIVORS.read_text(encoding="utf-8").splitlines() if line.startswith("- ")]


def compare(survivors: list[str], explained: list[str]) -> int:
    """Compare the survivors with the list."""
    new, gone = Counter(survivors) - Counter(explained), Counter(explained) - Counter(survivors)
    for title, lines in (("Survivors that are not listed", new), ("Listed, but not survivors", gone)):
        if lines:
            print(f"\n{title} ({SURVIVORS.relative_to(ROOT)}):")
            print("\n".join(lines.elements()))
    return 1 if new or gone else 0


if __name__ == "__main__":
    raise SystemExit(main())
