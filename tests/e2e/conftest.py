"""A whole Airflow of a test's own, with the DAGs next to the tests."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DAGS = Path(__file__).parent / "dags"
sys.path += [str(ROOT / "scripts"), str(ROOT / "tests" / "contract"), str(DAGS)]

from demo_airflow import FEWEST, Airflow, airflow_settings, clean_environment, free_port  # noqa: E402
from demo_processes import Processes, StopSignals, adopt_orphans  # noqa: E402
from sandbox_client import KEY, STREAM, SandboxServer  # noqa: E402


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    sandbox = SandboxServer(tmp_path_factory.mktemp("sandbox"))
    yield sandbox
    sandbox.stop()


@pytest.fixture
def sandbox(server):
    """An empty sandbox, which the connection ``cloudzero_default`` leads to."""
    server.reset()
    return server


@pytest.fixture(scope="module")
def start_airflow(server, tmp_path_factory):
    """Start an Airflow that knows some DAGs; it ends with the context."""

    # What a test kills leaves orphans.
    adopt_orphans()

    @contextlib.contextmanager
    def start(dag_ids, *, components=FEWEST, settings=None, **extra):
        home, logs = tmp_path_factory.mktemp("airflow"), tmp_path_factory.mktemp("output")
        url = f"http://127.0.0.1:{free_port()}"
        fields = {"conn_type": "cloudzero", "host": server.url, "password": KEY}
        connection = {**fields, "extra": {"anycost_connection_id": STREAM, **extra}}
        environment = clean_environment(home) | airflow_settings(home, DAGS, url, connection) | (settings or {})
        processes = Processes(StopSignals(), logs)
        airflow = Airflow(home, environment, url, processes, say=print)
        try:
            airflow.command("db", "migrate")
            airflow.start(components)
            airflow.wait("Airflow", lambda: airflow.is_up(dag_ids), limit=180)
            yield airflow
        finally:
            assert processes.end_all() == []

    return start
