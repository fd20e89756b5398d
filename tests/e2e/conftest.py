"""A complete Airflow that most of these tests share, and others for those that kill it or use a browser."""

from __future__ import annotations

import contextlib
import json
import shutil
from pathlib import Path

import pytest
from demo_airflow import BIN, FEWEST, Airflow, airflow_settings, clean_environment, free_port
from demo_processes import Processes, StopSignals, adopt_orphans
from playwright.sync_api import sync_playwright
from support.paths import ROOT
from support.postgres_server import PostgresServer
from support.s3_server import S3Server
from support.sandbox_server import KEY, STREAM, SandboxServer
from xdist.scheduler import LoadScopeScheduling

DAGS = Path(__file__).parent / "dags"
EXAMPLES = ROOT / "dags_examples"
SHARED_SETTINGS = {
    "CORE__PARALLELISM": 8,
    "CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": 0,
    "SCHEDULER__TRIGGER_TIMEOUT_CHECK_INTERVAL": 1,
    # So that tests can look for keys in everything that Airflow logs.
    "LOGGING__LOGGING_LEVEL": "DEBUG",
}
CHROMIUM_FLAGS = [
    "--headless",
    "--no-sandbox",  # root can't have one, and only local pages are opened
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class BrowserBesideTheRest(LoadScopeScheduling):
    """
    Divides the tests between two processes: those with a browser, which start an Airflow of their own, and those without
    a scheduler; and those that share an Airflow.
    """

    def _split_scope(self, nodeid):
        beside = ("in_browser", "test_files_on_s3", "test_sql_of_postgresql")
        return "browser" if any(name in nodeid for name in beside) else "shared Airflow"


def pytest_xdist_make_scheduler(config, log):
    # pytest-xdist 3.8 ignores xdist_group with pytest 9.
    return BrowserBesideTheRest(config, log)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    sandbox = SandboxServer(tmp_path_factory.mktemp("sandbox"))
    yield sandbox
    sandbox.stop()


@pytest.fixture
def sandbox(server):
    """An empty sandbox, which the connection ``cloudzero_default`` points to."""
    server.reset()
    return server


def connection_fields(server, **extra):
    fields = {"conn_type": "cloudzero", "host": server.url, "password": KEY}
    return {**fields, "extra": {"anycost_connection_id": STREAM, "settle_seconds": 2, **extra}}


@pytest.fixture(scope="session")
def start_airflow(server, tmp_path_factory):
    """Start an Airflow that knows some DAGs; it ends with the context."""

    # A killed component leaves orphans.
    adopt_orphans()

    @contextlib.contextmanager
    def start(dag_ids, *, components=FEWEST, settings=None, bin_folder=BIN):
        home, logs = tmp_path_factory.mktemp("airflow"), tmp_path_factory.mktemp("output")
        url = f"http://127.0.0.1:{free_port()}"
        connection = connection_fields(server)
        environment = clean_environment(home, bin_folder) | airflow_settings(home, DAGS, url, connection)
        processes = Processes(StopSignals(), logs)
        # The package of this folder, even where the environment has that of another one.
        environment["PYTHONPATH"] = str(ROOT)
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
def written_dags(tmp_path_factory):
    """A folder for DAG files that tests write and change while the shared Airflow runs."""
    return tmp_path_factory.mktemp("dags")


@pytest.fixture(scope="session")
def shared_airflow(start_airflow, server, s3, postgres, written_dags):
    """An Airflow of the newest line, with the DAGs of these tests, the examples, and the DAGs that tests write."""
    folders = {"tests": (DAGS, 3600), "examples": (EXAMPLES, 3600), "written": (written_dags, 2)}
    bundles = [
        {
            "name": name,
            "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
            "kwargs": {"path": str(path), "refresh_interval": seconds},
        }
        for name, (path, seconds) in folders.items()
    ]
    settings = {f"AIRFLOW__{name}": str(value) for name, value in SHARED_SETTINGS.items()}
    settings["ACME_BILL_FOLDER"] = str(written_dags / "bills")
    connections = {
        # One request per attempt, so that Airflow retries and not the client.
        "CLOUDZERO_IMPATIENT": json.dumps(connection_fields(server, settle_seconds=3, max_retry_seconds=0)),
        "ACME_AWS": s3.airflow_connection(),
        "ACME_WAREHOUSE": postgres.airflow_connection(),
    }
    settings |= {f"AIRFLOW_CONN_{name}": connection for name, connection in connections.items()}
    settings["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"] = json.dumps(bundles)
    with start_airflow(["one_writer", "sum_of_drops", "anycost_sql"], settings=settings) as airflow:
        yield airflow


@pytest.fixture(scope="module")
def airflow(shared_airflow):
    return shared_airflow


@pytest.fixture(scope="session")
def postgres():
    """A warehouse: an empty PostgreSQL."""
    server = PostgresServer()
    yield server
    print(server.log.read_text(errors="replace"))
    server.stop()


@pytest.fixture(scope="session")
def s3(tmp_path_factory):
    """An empty S3."""
    server = S3Server(tmp_path_factory.mktemp("s3"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """
    A Chromium that writes only to pytest's own folder.

    It stops with the module, because Playwright runs an event loop, beside which no other can run.
    """
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    assert chromium, "chromium is missing: 'make test-e2e' installs it"
    home = tmp_path_factory.mktemp("browser")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(home))  # Playwright puts the browser profile there
        with sync_playwright() as playwright:
            environment = clean_environment(home) | {"TMPDIR": str(home)}
            launched = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS, env=environment)
            yield launched
            launched.close()
