"""Tasks under fire: the real operators, a real sandbox over HTTP, and time that a test drives."""

from __future__ import annotations

import os
from collections.abc import Iterator

os.environ["AIRFLOW__CORE__UNIT_TEST_MODE"] = "True"
# Months are small here, and processes many.
os.environ.setdefault("POLARS_MAX_THREADS", "1")

import pytest
from support.fire import settings
from support.fire.world import World


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    with World() as made:
        yield made


def pytest_terminal_summary(terminalreporter) -> None:
    if settings.TALLIES:
        terminalreporter.section("scenarios")
        for line in settings.report():
            terminalreporter.line(line)
