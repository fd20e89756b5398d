"""
Run the benchmarks, and write results.json, results.md, summary.md and results.svg.

    python -m benchmarks --only billing/two-columns --runs 7

Every program of a case runs once per round, in a process of its own, so that other work on the machine slows down all
of them.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import cases
from benchmarks.inputs.cache import ensure
from benchmarks.machine import this_machine
from benchmarks.measure import Interpreters, ProgramFailedError, run_once
from benchmarks.model import OUTPUT, Case, Program
from benchmarks.plot import plot
from benchmarks.results import CaseResult, ProgramResult, Results, Run
from benchmarks.summary import summary
from benchmarks.table import table, table_of_case

if TYPE_CHECKING:
    from collections.abc import Iterable

QUICK_ROWS = 10_000


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmarks; gives the exit code: 0 when every program of every case worked."""
    chosen = parser().parse_args(arguments)
    if chosen.quick:
        chosen.runs, chosen.rows = 1, QUICK_ROWS
    interpreters = Interpreters(chosen.environments)
    machine = this_machine(interpreters)
    chosen.out.mkdir(parents=True, exist_ok=True)
    done: list[CaseResult] = []
    for case in chosen_cases(chosen):
        done.append(_measured(case, interpreters, chosen.runs))
        # After each case, since a run of all takes long.
        _write(Results(machine, tuple(done)), chosen.out)
    if not done:
        sys.exit(f"No case has {chosen.only!r} in its name and a program {chosen.programs!r}.")
    print(f"Results: {chosen.out}/results.json, results.md, summary.md and results.svg")
    return int(any(program.failure for case in done for program in case.programs))


def parser() -> argparse.ArgumentParser:
    """Return what reads the options."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", help="only cases with one of these in their names, such as csv,parquet")
    parser.add_argument("--plotted", action="store_true", help="only the cases of the plot")
    parser.add_argument(
        "--programs", default="", help="only programs whose names begin with one of these, such as cloudzero_p,floor"
    )
    parser.add_argument("--runs", type=int, default=5, help="rounds of each case (default: %(default)s)")
    parser.add_argument("--rows", type=int, help="no more rows than these in any case")
    parser.add_argument("--quick", action="store_true", help=f"to try it out: --runs 1 --rows {QUICK_ROWS}")
    parser.add_argument("--out", type=Path, default=OUTPUT, help="folder for results (default: %(default)s)")
    parser.add_argument(
        "--environments",
        type=Path,
        default=Path(sys.prefix),
        help="folder that holds the environments of other programs (default: %(default)s)",
    )
    return parser


def chosen_cases(chosen: argparse.Namespace) -> Iterable[Case]:
    """Return the cases to run. With fewer rows, several become one."""
    found = cases.ALL if chosen.rows is None else [case.with_rows(chosen.rows) for case in cases.ALL]
    parts, programs = chosen.only.split(","), tuple(chosen.programs.split(","))
    found = [replace(case, programs=_named(case.programs, programs)) for case in found if case.is_named(parts)]
    return {case.name: case for case in found if case.programs and case.in_plot >= chosen.plotted}.values()


def _named(programs: tuple[Program, ...], beginnings: tuple[str, ...]) -> tuple[Program, ...]:
    return tuple(program for program in programs if program.name.startswith(beginnings))


def _measured(case: Case, interpreters: Interpreters, rounds: int) -> CaseResult:
    if case.given:
        ensure(case.given)
    there = [program for program in case.programs if interpreters.of(program.environment).exists()]
    runs: dict[Program, list[Run]] = {program: [] for program in there}
    failures = {program: "not installed" for program in case.programs if program not in there}
    for number in range(rounds):
        # Each begins a round in turn.
        for program in there[number % len(there) :] + there[: number % len(there)]:
            if program not in failures:
                try:
                    runs[program].append(run_once(interpreters, case, program))
                except ProgramFailedError as error:
                    failures[program] = str(error)
    results = tuple(
        ProgramResult(
            program.name,
            program.note,
            () if program in failures else tuple(runs[program]),
            failures.get(program, ""),
            program.repeat,
        )
        for program in case.programs
    )
    result = CaseResult(case.name, case.rows, case.in_plot, results)
    print(table_of_case(result), flush=True)
    return result


def _write(results: Results, folder: Path) -> None:
    results.write(folder / "results.json")
    (folder / "results.md").write_text(table(results), encoding="utf-8")
    (folder / "summary.md").write_text(summary(results), encoding="utf-8")
    (folder / "results.svg").write_text(plot(results), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
