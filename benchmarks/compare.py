"""
Compare two results of the benchmarks.

    python -m benchmarks.compare OLD.json [NEW.json]

prints new ÷ old of every program of every case that both have. Below 1 is faster, or smaller.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.model import OUTPUT
from benchmarks.results import MEASURES, CaseResult, ProgramResult, Results

if TYPE_CHECKING:
    from collections.abc import Iterator


def main(arguments: list[str] | None = None) -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.compare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("old", type=Path, help="results.json of before")
    parser.add_argument(
        "new", type=Path, nargs="?", default=OUTPUT / "results.json", help="of after (default: %(default)s)"
    )
    chosen = parser.parse_args(arguments)
    for path in (chosen.old, chosen.new):
        if not path.exists():
            parser.error(f"{path} does not exist; make bench writes {OUTPUT / 'results.json'}")
    print("\n".join(comparison(Results.read(chosen.old), Results.read(chosen.new))))


def comparison(old: Results, new: Results) -> Iterator[str]:
    """Return the lines of a comparison."""
    differences = old.machine.differences(new.machine)
    if differences:
        yield "The machines differ, so the figures can't be compared as they are:"
        yield from (f"  {difference}" for difference in differences)
        yield ""
    before = {case.case: case for case in old.cases}
    after = {case.case: case for case in new.cases}
    columns = "".join(f"{name.replace('_', ' '):>15}" for name in MEASURES)
    yield f"new ÷ old{'':<51}{columns}"
    for name in (name for name in before if name in after):
        yield from _case(before[name], after[name])
    for only, where in ((before.keys() - after.keys(), "old"), (after.keys() - before.keys(), "new")):
        if only:
            yield f"Only in the {where} results: {', '.join(sorted(only))}"


def _case(old: CaseResult, new: CaseResult) -> Iterator[str]:
    yield new.case
    before = {program.program: program for program in old.programs}
    for program in new.programs:
        earlier = before.get(program.program)
        if earlier is None or not earlier.runs or not program.runs:
            yield f"    {program.program:<56}{'not measured in both':>15}"
        else:
            yield f"    {program.program:<56}{''.join(_ratios(earlier, program))}"


def _ratios(old: ProgramResult, new: ProgramResult) -> Iterator[str]:
    return (f"{new.median(name) / old.median(name):>15.2f}" for name in MEASURES)


if __name__ == "__main__":
    main()
