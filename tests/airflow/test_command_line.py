"""The command line finds a connection that is stored in Airflow's database, as the UI does it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from support.paths import environment
from support.sandbox_server import KEY, STREAM

pytest.importorskip("typer", reason="the extra cli is not installed")


@pytest.fixture
def stored(sandbox):
    """The id of a connection in the database."""
    extra = json.dumps({"anycost_connection_id": STREAM})
    options = ["--conn-host", sandbox.url, "--conn-password", KEY, "--conn-extra", extra]
    airflow("connections", "add", "cloudzero_stored", "--conn-type", "cloudzero", *options)
    yield "cloudzero_stored"
    airflow("connections", "delete", "cloudzero_stored")


def airflow(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "airflow", *arguments], check=True, capture_output=True, env=environment())


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    module = [sys.executable, "-m", "cloudzero_provider.cli"]
    return subprocess.run([*module, *arguments], capture_output=True, text=True, env=environment(), timeout=120)


def test_a_connection_of_the_database_is_found(stored):
    found = command("months", "--conn-id", stored, "--json")
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout) == {"anycost_connection_id": STREAM, "months": []}
    assert KEY not in found.stdout + found.stderr


def test_a_connection_that_is_nowhere_is_wrong_usage():
    found = command("months", "--conn-id", "gone")
    assert (found.returncode, found.stdout) == (2, "")
    assert "Airflow has no connection 'gone'." in found.stderr
