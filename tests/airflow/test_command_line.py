"""The command line finds a connection that is stored in Airflow's database, as the UI does it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.airflow_lines import too_new
from support.command_line import run_json
from support.paths import ROOT, environment
from support.sandbox_server import KEY, STREAM

EXAMPLES = ROOT / "dags_examples"

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


def test_the_dags_that_airflow_is_configured_with_are_checked(dags, sandbox, tmp_path):
    (tmp_path / "pools.json").write_text(json.dumps({"default_pool": {"slots": 128, "description": ""}}))
    checked = run_json("check-dags", "--pools", tmp_path / "pools.json", code=1)
    # On Airflow 2.11, it is the only example that can be imported, and the others are errors.
    [writer] = [task for task in checked["writers"] if task["dag_id"] == "anycost_monthly_interval"]
    assert (writer["task_id"], writer["streams"]) == ("send_bill", [STREAM])
    assert {Path(file).name for file in checked["errors"]} >= too_new(EXAMPLES)
