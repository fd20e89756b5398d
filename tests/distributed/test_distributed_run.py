"""
Eight streams of six months, sent by two Celery workers that are killed, while the broker and the database restart.

``make test-distributed`` runs it, in an environment that has Celery. All checks are in ``distributed_run.checks``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from distributed_run.outcome import CHECKS
from distributed_run.settings import CHANGED, Where
from support.paths import ROOT, environment

pytest.importorskip("airflow.providers.celery", reason="only make test-distributed has Celery")
pytestmark = pytest.mark.distributed

#: For all of it, on two busy cores.
LIMIT = 20 * 60
STREAMS, MONTHS, KILLS = 4, 6, 8
#: Keeps the results.
FOLDER = "CLOUDZERO_DISTRIBUTED_RESULTS"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return Path(os.environ.get(FOLDER) or tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="module")
def results(folder):
    """What ``scripts/distributed.py`` writes; its output is shown as it comes."""
    sizes = {"anycost": STREAMS, "telemetry": STREAMS, "months": MONTHS, "kills": KILLS, "results": folder}
    options = [part for name, value in sizes.items() for part in (f"--{name}", str(value))]
    command = [sys.executable, str(ROOT / "scripts/distributed.py"), *options]
    with subprocess.Popen(command, env=environment(), cwd=ROOT) as process:
        try:
            process.wait(LIMIT)
        finally:
            process.terminate()
    return json.loads((folder / "results.json").read_text())


@pytest.mark.parametrize("check", CHECKS)
def test_nothing_is_lost_doubled_or_stuck(results, check):
    assert results["problems"][check] == []


def test_everything_was_sent_by_workers_some_of_which_died(results):
    figures = results["figures"]
    assert figures["stream_months"] == 2 * STREAMS * MONTHS
    # A month is three requests that write; those of tasks that died were sent again.
    assert figures["writes"] > 3 * figures["stream_months"]
    assert sum("worker" in event["what"] and "was killed" in event["what"] for event in results["events"]) == KILLS


def test_every_changed_setting_is_shown_with_its_value_for_production(results, folder):
    table = (folder / "results.md").read_text()
    assert len(results["settings"]) == len(CHANGED)
    for changed in CHANGED:
        assert (
            f"| `{changed.shown_name}` | {changed.where.value} | {changed.here:g} | {changed.production:g} |" in table
        )
    assert {changed.where for changed in CHANGED} == set(Where)
