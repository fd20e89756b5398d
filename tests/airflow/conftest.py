"""A real Airflow with its own database, and the sandbox over HTTP. Nothing is mocked."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parent.parent / "dags_examples"
DAG_FOLDERS = {"examples": EXAMPLES, "tests": HERE / "dags"}

os.environ |= {
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
    "ACME_BILL_FOLDER": f"{os.environ['AIRFLOW_HOME']}/bills",
}

from support.sandbox_server import STREAM, SandboxServer  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.sdk import DAG


def _connection(server: SandboxServer, **extra: object) -> str:
    extra = {"anycost_connection_id": STREAM, "settle_seconds": 0.1, **extra}
    return json.dumps({"conn_type": "cloudzero", "host": server.url, "password": server.key, "extra": extra})


@pytest.fixture(scope="session")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxServer]:
    server = SandboxServer(tmp_path_factory.mktemp("sandbox"))
    os.environ["AIRFLOW_CONN_CLOUDZERO_DEFAULT"] = _connection(server)
    # One request per attempt, so that Airflow retries and not the client.
    os.environ["AIRFLOW_CONN_CLOUDZERO_IMPATIENT"] = _connection(server, max_retry_seconds=0)
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def sandbox(_server: SandboxServer) -> SandboxServer:
    """An empty sandbox."""
    _server.reset()
    return _server


@pytest.fixture(autouse=True)
def _no_open_backfills() -> Iterator[None]:
    from support.airflow_lines import close_backfills

    yield
    close_backfills()


@pytest.fixture(scope="session", autouse=True)
def dags() -> dict[str, DAG]:
    """All DAGs of the examples and of these tests, stored in Airflow's database."""
    from airflow.utils.db import initdb
    from support.airflow_lines import make_known

    initdb()
    return make_known(DAG_FOLDERS)
