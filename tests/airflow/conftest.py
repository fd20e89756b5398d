"""
A real Airflow with a database of its own, and a real sandbox over HTTP. Nothing is mocked.

Airflow reads its settings when it is first imported, so its home is made here, before any test is.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parent.parent / "dags_examples"
DAG_FOLDERS = {"examples": EXAMPLES, "tests": HERE / "dags"}
HOME = Path(tempfile.mkdtemp(prefix="cloudzero-airflow-"))

for name in [name for name in os.environ if name.startswith("AIRFLOW_")]:
    del os.environ[name]
os.environ |= {
    "AIRFLOW_HOME": str(HOME),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__DAGS_FOLDER": str(EXAMPLES),
    "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(
        [
            {
                "name": bundle,
                "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
                "kwargs": {"path": str(path), "refresh_interval": 3600},
            }
            for bundle, path in DAG_FOLDERS.items()
        ]
    ),
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    "ACME_BILL_FOLDER": str(HOME / "bills"),
}
sys.path += [str(HERE.parent / "contract"), str(EXAMPLES)]

from sandbox_client import STREAM, SandboxServer  # noqa: E402  (a module of the tests next door)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.sdk import DAG


def pytest_unconfigure() -> None:
    shutil.rmtree(HOME, ignore_errors=True)


def _connection(server: SandboxServer, **extra: object) -> str:
    extra = {"anycost_connection_id": STREAM, "settle_seconds": 0.1, **extra}
    return json.dumps({"conn_type": "cloudzero", "host": server.url, "password": server.key, "extra": extra})


@pytest.fixture(scope="session")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxServer]:
    server = SandboxServer(tmp_path_factory.mktemp("sandbox"))
    os.environ["AIRFLOW_CONN_CLOUDZERO_DEFAULT"] = _connection(server)
    # For the tests of Airflow's own retries: one request per try.
    os.environ["AIRFLOW_CONN_CLOUDZERO_IMPATIENT"] = _connection(server, max_retry_seconds=0)
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def sandbox(_server: SandboxServer) -> SandboxServer:
    """A CloudZero that holds nothing."""
    _server.reset()
    return _server


@pytest.fixture(autouse=True)
def _no_open_backfills() -> Iterator[None]:
    from runs import close_backfills

    yield
    close_backfills()


@pytest.fixture(scope="session", autouse=True)
def dags() -> dict[str, DAG]:
    """All DAGs of the examples and of these tests, known to Airflow's database."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import BundleDagBag, sync_bag_to_db
    from airflow.utils.db import initdb

    initdb()
    DagBundlesManager().sync_bundles_to_db()
    found: dict[str, DAG] = {}
    for bundle, folder in DAG_FOLDERS.items():
        bag = BundleDagBag(folder, bundle_path=folder, bundle_name=bundle)
        assert not bag.import_errors
        sync_bag_to_db(bag, bundle, None)
        found |= bag.dags
    return found
