"""
What the page of unknowns says is what happens.

Each possibility alone is run here, and some of the pairs; all of them by scripts/unknowns.py, which writes the page.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest
from contract.unknowns.page import Notes, pair_row, single_sections
from contract.unknowns.possibilities import AREAS, PAIRS
from contract.unknowns.runs import STEPS, results_of, run_of, single_runs

from cloudzero_provider.sandbox.settings.all_settings import Settings, possible_values

PAGE = (Path(__file__).parents[3] / "docs" / "unknowns.md").read_text(encoding="utf-8")
SOME_PAIRS = PAIRS[::6]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    logging.disable(logging.CRITICAL)
    runs = [*single_runs(), *(run_of(journey, settings) for journey, settings in SOME_PAIRS)]
    try:
        return results_of(runs, tmp_path_factory.mktemp("worlds"))
    finally:
        logging.disable(logging.NOTSET)


@pytest.mark.long
def test_nothing_is_ever_lost_or_doubled_without_an_error(results):
    broken = {
        (run.journey, run.settings, step): outcome.words
        for run, outcomes in results.items()
        for step, outcome in outcomes.items()
        if outcome.is_broken
    }
    assert broken == {}


@pytest.mark.long
def test_by_default_every_step_is_exact_or_ends_with_its_error(results):
    for journey, steps in STEPS.items():
        found = {name: outcome.end for name, outcome in results[run_of(journey, {})].items()}
        assert found == {step.name: step.ends_as or "exact" for step in steps if not step.only_for}


@pytest.mark.long
def test_the_page_says_what_happens(results):
    assert PAGE.startswith(single_sections(results))


@pytest.mark.long
def test_the_page_says_what_happens_with_some_pairs(results):
    rows = {columns(line)[:2]: columns(line)[2] for line in PAGE.splitlines() if line.startswith("| `")}
    for journey, settings in SOME_PAIRS:
        answers, of, happens = columns(pair_row(journey, settings, results, results, Notes()))
        assert without_notes(rows[answers, of]) == without_notes(happens)


def columns(line):
    return tuple(cell.strip() for cell in line.strip("|").split(" | "))


def without_notes(cell):
    return re.sub(r" \(message \d+\)", "", cell)


def test_every_setting_of_the_sandbox_is_on_the_page_with_each_of_its_values():
    unknowns = {unknown.setting: unknown for area in AREAS.values() for unknown in area}
    assert set(unknowns) == set(possible_values())
    for setting, unknown in unknowns.items():
        tried = {found[setting] for found in unknown.possibilities()}
        assert tried - {Settings().as_json()[setting]}, f"{setting}: give values to try in possibilities.py"
        listed = possible_values()[setting]
        values = listed if isinstance(listed, list) else list(tried)
        section = PAGE.partition(f"(`{setting}`")[2].split(" (`")[0]
        missing = [value for value in values if f"`{value}`" not in section]
        assert missing == [], f"{setting}: not in docs/unknowns.md. Run scripts/unknowns.py, which writes it."


def test_the_page_has_a_row_for_each_pair():
    assert len(
        PAGE.split("## Two settings at once")[1].split("|---|---|---|\n")[1].split("\n\n")[0].splitlines()
    ) == len(PAIRS)
