"""Many streams and months in one run: one instance that fails leaves the others, and is cleared alone."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from acme_bill import month_rows
from support.airflow_lines import AIRFLOW_SDK
from support.airflow_runs import clear_and_run, run
from support.example_bills import as_set
from support.sandbox_server import SandboxServer

MONTHS = [f"{year}-{month:02d}" for year in (2023, 2024, 2025) for month in range(1, 13)]


@pytest.fixture
def streams_server(tmp_path, monkeypatch):
    """Start a sandbox that has the given streams, and a connection to it."""
    started: list[SandboxServer] = []

    def start(streams: list[str], conn_id: str) -> SandboxServer:
        options = [option for stream in streams for option in ("--connection", stream)]
        server = SandboxServer(tmp_path / "streams", *options)
        started.append(server)
        extra = {"settle_seconds": 0.1}
        fields = {"conn_type": "cloudzero", "host": server.url, "password": server.key, "extra": extra}
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(fields))
        return server

    yield start
    for server in started:
        server.stop()


def cost(stream: str, month: str) -> str:
    """A cost that no other stream or month has."""
    return f"{month.replace('-', '')}.{stream.removeprefix('s')}5"


def write(folder: Path, stream: str, month: str, amount: str) -> None:
    lines = ["time/usage_start,cost/cost", *(f"{month}-{day:02d},{amount}" for day in (1, 15, 28))]
    (folder / f"{stream}-{month}.csv").write_text("\n".join(lines) + "\n")


def check_that_one_fails_alone(dag, server: SandboxServer, folder: Path, streams: list[str], months: list[str]) -> None:
    folder.mkdir()
    pairs = [(stream, month) for stream in streams for month in months]
    for stream, month in pairs:
        write(folder, stream, month, cost(stream, month))
    failing = len(pairs) * 2 // 3
    stream, month = pairs[failing]
    write(folder, stream, month, "12,5 EUR")
    first = run(dag, run_conf={"streams": streams, "months": months, "folder": str(folder)})
    states = ["success"] * len(pairs)
    states[failing] = "failed"
    assert (first.state, first.states["send"]) == ("failed", states)
    assert first.names()["send"] == [f"{stream}, {month}" for stream, month in pairs]
    assert month not in server.months(stream)
    before = len(server.writes())
    assert before == len(pairs) - 1

    write(folder, stream, month, cost(stream, month))
    again = clear_and_run(dag, first, ("send", failing))
    assert (again.state, again.states["send"]) == ("success", ["success"] * len(pairs))
    # The others were not sent again.
    assert len(server.writes()) == before + 1
    assert server.never_overlapped()
    for stream, month in pairs:
        held = server.month(month, stream)
        assert (held["rows"], Decimal(held["total_cost"])) == (3, 3 * Decimal(cost(stream, month)))
    assert {stream: sorted(server.months(stream)) for stream in streams} == dict.fromkeys(streams, months)


def test_one_of_twelve_fails_and_is_cleared_alone(dags, streams_server, tmp_path):
    streams = [f"s{number:02d}" for number in range(4)]
    server = streams_server(streams, "cloudzero_streams")
    check_that_one_fails_alone(dags["streams_and_months"], server, tmp_path / "bills", streams, MONTHS[:3])


@pytest.mark.long
def test_one_of_480_fails_and_is_cleared_alone(dags, streams_server, tmp_path):
    streams = [f"s{number:02d}" for number in range(40)]
    server = streams_server(streams, "cloudzero_streams")
    check_that_one_fails_alone(dags["streams_and_months"], server, tmp_path / "bills", streams, MONTHS[:12])


@AIRFLOW_SDK
def test_the_example_sends_each_account_to_its_stream(dags, streams_server):
    server = streams_server(["acme-checkout", "acme-search"], "cloudzero_default")
    outcome = run(dags["anycost_streams_and_months"])
    assert outcome.states["send_bill"] == ["success"] * 6
    accounts = {"acme-checkout": "checkout-production", "acme-search": "search-production"}
    names = [f"{stream}, {month}" for stream in accounts for month in ("2026-01", "2026-02", "2026-03")]
    assert outcome.names()["send_bill"] == outcome.names()["make_bill"] == names
    for stream, account in accounts.items():
        for month in ("2026-01", "2026-02", "2026-03"):
            rows = [row for row in month_rows(month) if row.get("resource/account") == account]
            assert as_set(server.rows(month, stream)) == as_set(rows)


@AIRFLOW_SDK
def test_the_example_is_in_a_pool(dags):
    task = dags["anycost_streams_and_months"].get_task("send_bill")
    assert (task.pool, task.max_active_tis_per_dag) == ("cloudzero_acme", 1)
