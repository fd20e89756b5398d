"""A whole Airflow of a test's own, with the DAGs next to the tests."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

DAGS = Path(__file__).parent / "dags"

from demo_airflow import BIN, FEWEST, Airflow, airflow_settings, clean_environment, free_port  # noqa: E402
from demo_processes import Processes, StopSignals, adopt_orphans  # noqa: E402
from support.postgres_server import PostgresServer  # noqa: E402
from support.s3_server import S3Server  # noqa: E402
from support.sandbox_server import KEY, STREAM, SandboxServer  # noqa: E402

CHROMIUM_FLAGS = [
    "--headless",
    "--no-sandbox",  # root may not have one, and every page is this machine's
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


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
    def start(dag_ids, *, components=FEWEST, settings=None, bin_folder=BIN, **extra):
        home, logs = tmp_path_factory.mktemp("airflow"), tmp_path_factory.mktemp("output")
        url = f"http://127.0.0.1:{free_port()}"
        fields = {"conn_type": "cloudzero", "host": server.url, "password": KEY}
        connection = {**fields, "extra": {"anycost_connection_id": STREAM, **extra}}
        environment = clean_environment(home, bin_folder) | airflow_settings(home, DAGS, url, connection)
        processes = Processes(StopSignals(), logs)
        airflow = Airflow(home, environment | (settings or {}), url, processes, print, bin_folder)
        try:
            airflow.command("db", "migrate")
            airflow.start(components)
            airflow.wait("Airflow", lambda: airflow.is_up(dag_ids), limit=180)
            yield airflow
        finally:
            assert processes.end_all() == []

    return start


@pytest.fixture(scope="session")
def postgres():
    """A warehouse: a PostgreSQL without tables."""
    server = PostgresServer()
    yield server
    print(server.log.read_text(errors="replace"))
    server.stop()


@pytest.fixture(scope="session")
def s3(tmp_path_factory):
    """An S3 without buckets."""
    server = S3Server(tmp_path_factory.mktemp("s3"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """
    A Chromium that leaves nothing behind outside pytest's own folder.

    It ends with the tests that use it, since Playwright keeps a loop running, in which no other can run.
    """
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    assert chromium, "chromium is missing: 'make test-e2e' installs it"
    home = tmp_path_factory.mktemp("browser")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(home))  # of Playwright, which puts the user's data there
        with sync_playwright() as playwright:
            environment = clean_environment(home) | {"TMPDIR": str(home)}
            launched = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS, env=environment)
            yield launched
            launched.close()
