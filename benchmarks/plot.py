"""The results as a drawing: bars of time and memory, case by case."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from benchmarks.model import OURS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.results import CaseResult, ProgramResult, Results

_BAR, _GAP, _TITLE, _TOP = 14, 4, 26, 40
_NAMES, _PANEL, _VALUES = 150, 300, 70
_WIDTH = _NAMES + 2 * (_PANEL + _VALUES)
_OURS, _OTHER = "#1f6feb", "#9aa4b2"
_PANELS = (("work_seconds", "seconds, imports excluded", "{:.2f}"), ("peak_mb", "peak memory, MB", "{:,.0f}"))


def plot(results: Results) -> str:
    """Draw the cases that are marked for the plot; all of them, if none is."""
    shown = [case for case in results.cases if case.in_plot] or list(results.cases)
    height = _TOP + sum(_height(case) for case in shown)
    size = f'width="{_WIDTH}" height="{height}"'
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11">',
        f'<rect {size} fill="white"/>',
    ]
    for panel, (_, title, _) in enumerate(_PANELS):
        drawn.append(_text(_left(panel), 20, title, weight="bold"))
    top = _TOP
    for case in shown:
        drawn += _case(case, top)
        top += _height(case)
    return "\n".join([*drawn, "</svg>"]) + "\n"


def _height(case: CaseResult) -> int:
    return _TITLE + len(case.programs) * (_BAR + _GAP)


def _left(panel: int) -> int:
    return _NAMES + panel * (_PANEL + _VALUES)


def _case(case: CaseResult, top: int) -> Iterator[str]:
    yield _text(4, top + 16, _title(case), weight="bold")
    for number, program in enumerate(case.programs):
        place = top + _TITLE + number * (_BAR + _GAP)
        yield _text(_NAMES - 6, place + _BAR - 3, program.program, anchor="end")
        if not program.runs:
            yield _text(_NAMES, place + _BAR - 3, "failed")
            continue
        for panel, (measure, _, form) in enumerate(_PANELS):
            yield from _bar(program, measure, form, _left(panel), place, _longest(case, measure))


def _title(case: CaseResult) -> str:
    """Write a case's name for people: with commas, and its number of rows as one reads it."""
    words = case.case.split("/")
    return ", ".join(f"{case.rows:,} rows" if word == str(case.rows) else word for word in words)


def _longest(case: CaseResult, measure: str) -> float:
    return max(program.median(measure) for program in case.programs if program.runs)


def _bar(program: ProgramResult, measure: str, form: str, left: int, top: int, longest: float) -> Iterator[str]:
    value = program.median(measure)
    width = max(1.0, value / longest * _PANEL) if longest else 1.0
    colour = _OURS if program.program == OURS else _OTHER
    yield f'<rect x="{left}" y="{top}" width="{width:.1f}" height="{_BAR}" fill="{colour}"/>'
    yield _text(left + round(width) + 4, top + _BAR - 3, form.format(value))


def _text(left: int, baseline: int, text: str, *, weight: str = "normal", anchor: str = "start") -> str:
    return f'<text x="{left}" y="{baseline}" font-weight="{weight}" text-anchor="{anchor}">{escape(text)}</text>'
