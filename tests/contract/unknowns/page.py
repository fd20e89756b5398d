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

CloudZero's [documentation](https://docs.cloudzero.com/docs/anycost-send-stream-data) leaves questions open: what is answered
to a request while another one is running, how a list is wrapped, what a drop without rows does. This provider is built to be
right whatever the answer is, or to say that it can't be. This page says which of the two, for every answer that is plausible.

It is written by `scripts/unknowns.py` from runs of the provider against [the sandbox](../README.md#the-sandbox), which can be
set to each of these answers (`POST /sandbox/settings`), and `make test-long` runs them again. Nothing here was tried on CloudZero
itself.

- **exact**: every step of the [journey](#the-journeys) ends as it does there. After each that succeeds, CloudZero holds what was
  sent, compared row by row: nothing missing, nothing twice.
- **An error's name**: the steps that it lists end so; all others are exact. In every case that is followed by *heals*, running
  the task again, once CloudZero takes it, made the month or the records exact.
- *nothing changed*: CloudZero then held what it held before. *stored all the same*: it held what was sent. *stored in part*: some
  of both, and nothing twice.
"""

HELD = {"as before": "nothing changed", "as sent": "stored all the same", "in part": "stored in part"}
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
            lines.append(f"- {step.name}: {end}" + (", where it matters" if found is None else ""))
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
        return ["The words:", "", *numbered, ""]


def _escaped(words: str) -> str:
    return words.replace("<", "\\<").replace("*", "\\*").replace("|", "\\|")


def _area(title: str, unknowns: Iterable[Unknown], singles: Results) -> str:
    notes = Notes()
    lines = [f"## {title}", "", "| question | answer | what happens |", "|---|---|---|"]
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
    note = f" (words {notes.number(outcome.words)})" if outcome.words else ""
    return f"{_ended(outcome)}{heals}{note}: *{listed}*"


def _without_setting() -> str:
    lines = ["## Questions that no answer settles", "", "| question | why there is nothing to set |", "|---|---|"]
    return "\n".join([*lines, *(f"| {question} | {why} |" for question, why in WITHOUT_SETTING.items()), ""])


def pair_section(singles: Results, pairs: Results) -> str:
    lines = [
        "## Two answers at once",
        "",
        "Pairs that have to do with each other: a success that says little and a way to look after it, a limit and what is told",
        "about it, two rules on the same rows. These runs are made by `scripts/unknowns.py`; `make test-long` repeats some of them.",
        "",
        "| answers | of | what happens |",
        "|---|---|---|",
    ]
    notes = Notes()
    rows = [pair_row(journey, settings, singles, pairs, notes) for journey, settings in PAIRS]
    return "\n".join([*lines, *rows, "", *notes.lines()])


def pair_row(journey: str, settings: Values, singles: Results, pairs: Results, notes: Notes) -> str:
    named = ", ".join(f"`{name}={json.dumps(value).strip(chr(34))}`" for name, value in settings.items())
    return f"| {named} | {NAMES[journey]} | {_cell((journey,), settings, pairs, singles, notes)} |"
