"""The operators against a real sandbox over HTTP, started once per test process."""

from __future__ import annotations

import csv
import os
import random
from collections.abc import Iterator
from decimal import Decimal

os.environ["AIRFLOW__CORE__UNIT_TEST_MODE"] = "True"

import pytest
from support.sandbox_server import SandboxServer
from support.tasks import Month, connect


@pytest.fixture(scope="session")
def server(tmp_path_factory) -> Iterator[SandboxServer]:
    sandbox = SandboxServer(tmp_path_factory.mktemp("sandbox"))
    yield sandbox
    sandbox.stop()


@pytest.fixture
def sandbox(server, monkeypatch) -> SandboxServer:
    """An empty sandbox, which the connection ``cloudzero_default`` leads to."""
    server.reset()
    connect(monkeypatch, server)
    return server


SERVICES = ("Compute", "Object Storage", "Block Storage", "Data Transfer", "Managed Database", "Queues")


@pytest.fixture(scope="session")
def big_month(tmp_path_factory) -> Month:
    """200,000 realistic rows, over 60 MB as JSON."""
    draw = random.Random(20260301)
    path = tmp_path_factory.mktemp("bill") / "march.csv"
    total = Decimal(0)
    columns = ["lineitem/id", "lineitem/type", "time/usage_start", "resource/id"]
    columns += ["resource/service", "resource/account", "resource/region", "usage/amount", "cost/cost"]
    columns += ["cost/discounted_cost", "resource/tag:team", "resource/tag:env"]
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for number in range(200_000):
            cost = Decimal(draw.randint(-10_000, 5_000_000)).scaleb(-8)
            total += cost
            service = draw.choice(SERVICES)
            writer.writerow(
                [
                    f"line-{number:07d}",
                    "Discount" if cost < 0 else "Usage",
                    f"2026-03-{draw.randint(1, 31):02d}T{draw.randint(0, 23):02d}:00:00Z",
                    f"instance/i-{draw.randrange(16**8):08x}",
                    service,
                    draw.choice(("112233445566", "665544332211")),
                    draw.choice(("eu-west-1", "us-east-1", "")),
                    draw.randint(1, 744),
                    f"{cost:f}",
                    f"{cost:f}" if draw.random() < 0.5 else "",
                    draw.choice(("search", "checkout", "")),
                    "prod",
                ]
            )
    return Month(path, 200_000, total)
