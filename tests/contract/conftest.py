"""The operators against a real sandbox over HTTP, started once per test process."""

from __future__ import annotations

import os
from collections.abc import Iterator

os.environ["AIRFLOW__CORE__UNIT_TEST_MODE"] = "True"

import pytest
from support.months import Month, write_month
from support.s3_server import S3Server
from support.sandbox_server import SandboxServer
from support.tasks import connect


@pytest.fixture(scope="session")
def server(tmp_path_factory) -> Iterator[SandboxServer]:
    sandbox = SandboxServer(tmp_path_factory.mktemp("sandbox"))
    yield sandbox
    sandbox.stop()


@pytest.fixture(scope="session")
def s3(tmp_path_factory) -> Iterator[S3Server]:
    """An empty S3."""
    for module in ("moto", "s3fs"):
        pytest.importorskip(module)
    server = S3Server(tmp_path_factory.mktemp("s3"))
    yield server
    server.stop()


@pytest.fixture
def sandbox(server, monkeypatch) -> SandboxServer:
    """An empty sandbox, the host of the connection ``cloudzero_default``."""
    server.reset()
    connect(monkeypatch, server)
    return server


@pytest.fixture(scope="session")
def big_month(tmp_path_factory) -> Month:
    """200,000 rows, over 60 MB as JSON."""
    return write_month(tmp_path_factory.mktemp("bill") / "march.csv")


@pytest.fixture(scope="session")
def small_month(tmp_path_factory) -> Month:
    """A tenth of the rows in as many requests, for tests of what happens between requests."""
    return write_month(tmp_path_factory.mktemp("bill") / "march.csv", 20_000)
