"""The results as one short table, a line per case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.model import OURS

if TYPE_CHECKING:
    from benchmarks.results import CaseResult, Results

#: Program → what of it is compared: the whole process, or the work alone.
_COMPARED = {"floor (polars)": "whole_seconds", "bare socket": "whole_seconds"}


def summary(results: Results) -> str:
    """
    Write a line per case: what the provider needs, and how many times as much as each other program.

    :param results: of the benchmarks.
    """
    cases = [case for case in results.cases if case.first.program == OURS and case.first.runs]
    others = list(dict.fromkeys(program.program for case in cases for program in case.programs[1:]))
    names = ["case", "process, s", "work, s", "rows/s", "peak, MB", *(f"× {name}" for name in others)]
    lines = [f"| {' | '.join(names)} |", f"|---|{'---:|' * (len(names) - 1)}"]
    return "\n".join([*lines, *(f"| {' | '.join(_cells(case, others))} |" for case in cases)]) + "\n"


def _cells(case: CaseResult, others: list[str]) -> list[str]:
    ours = case.first
    work = ours.median("work_seconds")
    ratios = {
        program.program: f"{ours.ratio(program, _COMPARED.get(program.program, 'work_seconds')):.2f}"
        for program in case.programs[1:]
        if program.runs
    }
    return [
        ", ".join(word for word in case.case.split("/") if word != str(case.rows)),
        f"{ours.median('whole_seconds'):.2f}",
        f"{work:.2f}",
        f"{case.rows * ours.repeat / work:,.0f}" if case.rows else "",
        f"{ours.median('peak_mb'):,.0f}",
        *(ratios.get(name, "") for name in others),
    ]
