"""
Break the code, change by change, and see whether a test goes red.

What stays green (a survivor) must be in ``tests/mutation/survivors.md``, with the reason, and nothing else may be. Runs
are kept in ``mutants/``: the next one judges anew only what changed.

    python scripts/mutate.py                              run, and look at the results
    python scripts/mutate.py "cloudzero_provider.telemetry.*"    judge these again
    python scripts/mutate.py --results                    look at the results of the last run
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code

ROOT = Path(__file__).parents[1]
SURVIVORS = ROOT / "tests" / "mutation" / "survivors.md"
PACKAGE = "cloudzero_provider"
PARTS = ("anycost", "telemetry")


def main() -> int:
    """Run, and look at the results; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mutants", nargs="*", help="names, with * for any text; without them all that changed")
    parser.add_argument("--results", action="store_true", help="run nothing")
    options = parser.parse_args()
    os.chdir(ROOT)
    if not options.results:
        run(options.mutants)
    statuses = read_statuses()
    print_scores(statuses)
    return compare([described(name) for name, status in sorted(statuses.items()) if status == "survived"])


def run(mutants: list[str]) -> None:
    """Plugins of pytest are looked for in each of hundreds of packages: that takes longer than most tests."""
    command = [str(Path(sys.executable).with_name("mutmut")), "run", "--max-children", "2", *mutants]
    subprocess.run(command, check=True, env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})


def read_statuses() -> dict[str, str]:
    """Read what became of each mutant."""
    found: dict[str, str] = {}
    for path in (ROOT / "mutants").rglob("*.meta"):
        codes = json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"]
        found |= {name: status_by_exit_code[code] for name, code in codes.items()}
    return found


def print_scores(statuses: dict[str, str]) -> None:
    """Print the part of the mutants that the tests see, of anycost and of telemetry."""
    for part in PARTS:
        counts = Counter(status for name, status in statuses.items() if name.startswith(f"{PACKAGE}.{part}."))
        judged = counts["killed"] + counts["survived"]
        score = f"{counts['killed'] / judged:.1%}" if judged else "none yet"
        print(f"{part}: {score} ({', '.join(f'{count:,} {status}' for status, count in counts.most_common())})")


def described(name: str) -> str:
    """A mutant in one line: where it is, its number there, and what it changes."""
    lines = [line for line in get_diff_for_mutant(name).splitlines() if not line.startswith(("---", "+++"))]
    before, after = (" ".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+")
    module, _, mangled = name.removeprefix(f"{PACKAGE}.").rpartition(".")
    function, _, number = mangled.removeprefix("x_").removeprefix("xǁ").rpartition("__mutmut_")
    return f"- {module}.{function.replace('ǁ', '.')} ({number}): `{before}` → `{after}`"


def compare(survivors: list[str]) -> int:
    """Hold the survivors against the list that explains them."""
    listed = [line for line in SURVIVORS.read_text(encoding="utf-8").splitlines() if line.startswith("- ")]
    new, gone = Counter(survivors) - Counter(listed), Counter(listed) - Counter(survivors)
    for title, lines in (("Survivors that are not explained", new), ("No survivors, though they are listed", gone)):
        if lines:
            print(f"\n{title} ({SURVIVORS.relative_to(ROOT)}):")
            print("\n".join(lines.elements()))
    return 1 if new or gone else 0


if __name__ == "__main__":
    raise SystemExit(main())
