"""Tasks under fire: the real operators, a real sandbox over HTTP, and time that a test drives."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

os.environ["AIRFLOW__CORE__UNIT_TEST_MODE"] = "True"
# Months are small here, and processes many.
os.environ.setdefault("POLARS_MAX_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[1] / "contract"))
sys.path.insert(0, str(Path(__file__).parent))

import fire_settings
import pytest
from fire_world import World


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    with World() as made:
        yield made


def pytest_terminal_summary(terminalreporter) -> None:
    if fire_settings.TALLIES:
        terminalreporter.section("scenarios")
        for line in fire_settings.report():
            terminalreporter.line(line)
