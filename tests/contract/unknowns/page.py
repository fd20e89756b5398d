"""The page for users, written from the runs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from contract.unknowns.journeys import Outcome
from contract.unknowns.possibilities import AREAS, DROPS, PAIRS, TELEMETRY, WITHOUT_SETTING, Unknown, Values
from contract.unknowns.runs import STEPS, Results, run_of

from cloudzero_provider.sandbox.settings.all_settings import Settings

INTRO = """\
# What CloudZero has not published, and what happens in each case

CloudZero's [documentation](https://docs.cloudzero.com/docs/anycost-send-stream-data) leaves questions open: the reply to a
request while another one is running, the wrapper of a list, the effect of a drop without rows. In each case, this provider
either does the right thing or ends with an error that says it can't. This page says which, for every plausible behavior.

`scripts/unknowns.py` writes it from runs of the provider against [the sandbox](sandbox.md), which can be set to
each of these behaviors (`POST /sandbox/settings`), and `make test-long` runs them again. Nothing here was tried on CloudZero
itself.

- **exact**: every step of the [journey](#the-journeys) ends as listed there. After each one that succeeds, CloudZero holds what
  was sent, compared row by row: nothing is missing or doubled.
- **An error's name**: the listed steps end with it; all others are exact. *heals* means: running the task again, once CloudZero
  accepts it, made the month or the records exact.
- *nothing changed*: CloudZero then held what it held before. *stored anyway*: it held what was sent. *stored in part*: some of
  both, and nothing twice.
"""

HELD = {"as before": "nothing changed", "as sent": "stored anyway", "in part": "stored in part"}
NAMES = {DROPS: "billing drops", TELEMETRY: "telemetry"}
MOST_LISTED = 5


def page(singles: Results, pairs: Results) -> str:
    return "\n".join([single_sections(singles), pair_section(singles, pairs)])


def single_sections(singles: Results) -> str:
    parts = [INTRO, _journeys(singles)]
    parts += [_area(title, unknowns, singles) for title, unknowns in AREAS.items()]
    parts.append(_without_setting())
    return "\n".join(parts)


def _journeys(singles: Results) -> str:
    lines = ["## The journeys", ""]
    for journey, steps in STEPS.items():
        usual = singles[run_of(journey, {})]
        lines += [f"With {NAMES[journey]}:", ""]
        for step in steps:
            found = usual.get(step.name)
            end = "exact" if found is None or found.end == "exact" else _ended(found)
            lines.append(f"- {step.name}: {end}" + (", where it applies" if found is None else ""))
        lines.append("")
    return "\n".join(lines)


def _ended(outcome: Outcome) -> str:
    if not outcome.end.endswith(("Error", "Timeout")):
        return outcome.end
    return f"`{outcome.end}`, {HELD[outcome.held]}"


class Notes:
    """The words of errors, below their table: many cells share them."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, words: str) -> int:
        return self._numbers.setdefault(words, len(self._numbers) + 1)

    def lines(self) -> list[str]:
        if not self._numbers:
            return []
        numbered = [f"{number}. {_escaped(words)}" for words, number in self._numbers.items()]
        return ["Error messages:", "", *numbered, ""]


def _escaped(words: str) -> str:
    return words.replace("<", "\\<").replace("*", "\\*").replace("|", "\\|")


def _area(title: str, unknowns: Iterable[Unknown], singles: Results) -> str:
    notes = Notes()
    lines = [f"## {title}", "", "| question | value | what happens |", "|---|---|---|"]
    for unknown in unknowns:
        lines += _rows(unknown, singles, notes)
    return "\n".join([*lines, "", *notes.lines()])


def _rows(unknown: Unknown, singles: Results, notes: Notes) -> list[str]:
    by_what_happens: dict[str, list[str]] = {}
    if not unknown.also:
        by_what_happens["exact"] = [_shown(Settings().as_json()[unknown.setting])]
    for settings in unknown.possibilities():
        cell = _cell(unknown.journeys, settings, singles, singles, notes)
        by_what_happens.setdefault(cell, []).append(_shown(settings[unknown.setting]))
    rows = []
    given = ", ".join(f"`{name}={value}`" for name, value in unknown.also)
    question = f"{unknown.question} (`{unknown.setting}`{', with ' if given else ''}{given})"
    for cell, values in by_what_happens.items():
        rows.append(f"| {question} | {', '.join(values)} | {cell} |")
        question = ""
    return rows


def _shown(value: object) -> str:
    if value == "":
        return "none"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def _cell(journeys: Iterable[str], settings: Values, found: Results, singles: Results, notes: Notes) -> str:
    parts = []
    for journey in journeys:
        outcomes, usual = found[run_of(journey, settings)], singles[run_of(journey, {})]
        parts += _differences(outcomes, usual, notes)
    return "; ".join(parts) or "exact"


def _differences(outcomes: Mapping[str, Outcome], usual: Mapping[str, Outcome], notes: Notes) -> list[str]:
    steps: dict[tuple[str, str], list[str]] = {}
    words: dict[tuple[str, str], str] = {}
    for name, outcome in outcomes.items():
        normal = usual.get(name, Outcome("exact"))
        if (outcome.end, outcome.held) != (normal.end, normal.held):
            key = (outcome.end, outcome.held)
            steps.setdefault(key, []).append(name)
            words.setdefault(key, outcome.words)
    return [_difference(Outcome(*key, words[key]), names, len(outcomes), notes) for key, names in steps.items()]


def _difference(outcome: Outcome, names: list[str], all_steps: int, notes: Notes) -> str:
    listed = (
        "; ".join(names) if len(names) <= MOST_LISTED else f"{names[0]}, and {len(names) - 1} more of {all_steps} steps"
    )
    heals = ", heals" if outcome.end.endswith("Error") and "`sum`" not in names[0] else ""
    note = f" (message {notes.number(outcome.words)})" if outcome.words else ""
    return f"{_ended(outcome)}{heals}{note}: *{listed}*"


def _without_setting() -> str:
    lines = ["## Questions without a setting", "", "| question | why |", "|---|---|"]
    return "\n".join([*lines, *(f"| {question} | {why} |" for question, why in WITHOUT_SETTING.items()), ""])


def pair_section(singles: Results, pairs: Results) -> str:
    lines = [
        "## Two settings at once",
        "",
        "Pairs that interact: a success that says little and a way to check it, a limit and how it is reported, two rules on the",
        "same rows. These runs are made by `scripts/unknowns.py`; `make test-long` repeats some of them.",
        "",
        "| settings | of | what happens |",
        "|---|---|---|",
    ]
    notes = Notes()
    rows = [pair_row(journey, settings, singles, pairs, notes) for journey, settings in PAIRS]
    return "\n".join([*lines, *rows, "", *notes.lines()])


def pair_row(journey: str, settings: Values, singles: Results, pairs: Results, notes: Notes) -> str:
    named = ", ".join(f"`{name}={json.dumps(value).strip(chr(34))}`" for name, value in settings.items())
    return f"| {named} | {NAMES[journey]} | {_cell((journey,), settings, pairs, singles, notes)} |"
