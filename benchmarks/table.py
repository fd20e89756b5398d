"""The results as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.machine import Machine
    from benchmarks.results import CaseResult, ProgramResult, Results

_COLUMNS = (
    "program",
    "process, s",
    "×",
    "CPU, s",
    "×",
    "work, s",
    "×",
    "CPU, s",
    "×",
    "rows/s",
    "peak, MB",
    "×",
    "bodies",
    "MB",
)
_HEADING = """\
Medians of {runs} runs, interleaved: in each round, every program of a case runs once, in a process of its own.
"Process" is the whole process, imports included; what prepares an input, such as a list of dictionaries, is left out,
though its memory counts. "Work" is from the first row read to the last body made, imports excluded. × is how many
times as much the first program of the case takes: the median of the ratios within each round. MB are 1,000,000 bytes.
"""


def table(results: Results) -> str:
    """Write all cases, each as a table, and the notes."""
    runs = max((len(program.runs) for case in results.cases for program in case.programs), default=0)
    parts = [
        _HEADING.format(runs=runs),
        _machine(results.machine),
        *map(table_of_case, results.cases),
        _notes(results),
    ]
    return "\n".join(parts)


def table_of_case(case: CaseResult) -> str:
    """Write one case."""
    lines = [
        f"### {case.case}",
        "",
        f"| {' | '.join(_COLUMNS)} |",
        f"|---|{'---:|' * (len(_COLUMNS) - 1)}",
        *(f"| {' | '.join(_cells(case, program))} |" for program in case.programs),
    ]
    return "\n".join(lines) + "\n"


def _cells(case: CaseResult, program: ProgramResult) -> list[str]:
    if program.failure or not program.runs:
        return [program.program, program.failure, *[""] * (len(_COLUMNS) - 2)]
    last = program.runs[-1]
    work = program.median("work_seconds")
    return [
        program.program,
        *_times(case, program, "whole"),
        *_times(case, program, "work"),
        f"{case.rows * program.repeat / work:,.0f}" if case.rows else "",
        f"{program.median('peak_mb'):,.0f}",
        _ratio(case, program, "peak_mb"),
        f"{last.bodies:,}",
        f"{last.bytes / 1e6:.1f}",
    ]


def _times(case: CaseResult, program: ProgramResult, what: str) -> list[str]:
    cells = []
    for measure in (f"{what}_seconds", f"{what}_cpu"):
        cells += [_seconds(program.median(measure)), _ratio(case, program, measure)]
    return cells


def _seconds(value: float) -> str:
    return f"{value:.2f}" if value >= 1 else f"{value:.3f}"


def _ratio(case: CaseResult, program: ProgramResult, measure: str) -> str:
    return f"{case.first.ratio(program, measure):.2f}" if case.first.runs else ""


def _machine(machine: Machine) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in machine.packages.items())
    return (
        f"{machine.cpus} CPUs ({machine.cpu}), {machine.memory_gb:g} GB, {machine.system}, Python {machine.python}; "
        f"{packages}.\n"
    )


def _notes(results: Results) -> str:
    notes = {
        (program.program, program.note): None for case in results.cases for program in case.programs if program.note
    }
    lines = [f"- {name}: {note}." for name, note in notes]
    return "\n".join(["### What can't be compared", "", *lines]) + "\n"
