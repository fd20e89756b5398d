"""What CloudZero holds, listed and read by the command line."""

from __future__ import annotations

import csv
import json

import polars as pl
import pytest
from support.command_line import run, run_json
from support.sandbox_server import KEY, STREAM
from support.tasks import connection, send

ROWS = [
    {"time/usage_start": "2026-03-01T00:00:00Z", "cost/cost": "123456789012345678.000000000000000000000000000001"},
    {"time/usage_start": "2026-03-01T00:00:00Z", "cost/cost": "-0.5", "resource/service": 'a,"b"\nc'},
    {"time/usage_start": "2026-03-02T05:00:00Z", "cost/cost": "0", "lineitem/type": "Credit"},
]
APRIL = [{"time/usage_start": "2026-04-01T00:00:00Z", "cost/cost": "1"}]


@pytest.fixture
def held(sandbox):
    send(records=ROWS)
    send(records=APRIL, month="2026-04")
    return sandbox


@pytest.fixture(autouse=True)
def _process_context(monkeypatch):
    # The command sets it for its own process, which is that of the tests here.
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")


@pytest.fixture(params=["environment", "connection"])
def reach(request, held, monkeypatch):
    """Options that reach the sandbox."""
    if request.param == "connection":
        return ["--conn-id", "cloudzero_default"]
    monkeypatch.setenv("CLOUDZERO_API_KEY", KEY)
    return ["--host", held.url, "--anycost-connection-id", STREAM]


def rows_in(path):
    if path.suffix == ".parquet":
        return [{k: v for k, v in row.items() if v is not None} for row in pl.read_parquet(path).to_dicts()]
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text().splitlines()]
    with path.open(newline="") as file:
        return [{k: v for k, v in row.items() if v} for row in csv.DictReader(file)]


class TestMonths:
    def test_every_month_is_listed_with_its_rows(self, reach, held):
        found = run_json("months", *reach)
        assert found["anycost_connection_id"] == STREAM
        assert [(month["month"], month["rows"]) for month in found["months"]] == [("2026-03", 3), ("2026-04", 1)]
        assert all(month["drop_id"] for month in found["months"])
        lines = run("months", *reach).stdout.splitlines()
        assert [line.split()[:2] for line in lines[1:]] == [["2026-03", "3"], ["2026-04", "1"]]

    def test_a_stream_without_months(self, sandbox):
        result = run("months", "--conn-id", "cloudzero_default")
        assert result.stdout == "CloudZero holds no months for this stream.\n"

    def test_a_wrong_key_is_refused_and_not_shown(self, held):
        key = "another-key-52f1c09b3e"
        result = run(*("months", "--host", held.url, "--anycost-connection-id", STREAM), code=1, CLOUDZERO_API_KEY=key)
        assert result.stderr.startswith("Error: ")
        assert result.stdout == ""
        assert key not in result.output


class TestRead:
    @pytest.mark.parametrize("name", ["march.csv", "march.jsonl", "march.parquet"])
    def test_the_file_has_what_cloudzero_holds(self, reach, held, tmp_path, name):
        path = tmp_path / name
        found = run_json("read", "2026-03", "-o", path, *reach)
        assert found == {
            "month": "2026-03",
            "anycost_connection_id": STREAM,
            "path": str(path),
            "rows": 3,
            "total_cost": "123456789012345677.500000000000000000000000000001",
            "hours": 2,
        }
        assert rows_in(path) == held.rows("2026-03")

    def test_what_was_read_passes_the_check(self, reach, tmp_path):
        text = run("read", "2026-03", "-o", tmp_path / "march.csv", *reach).stdout
        assert text.startswith("2026-03: 3 rows, total cost 123456789012345677.5")
        assert run_json("check", tmp_path / "march.csv", "--month", "2026-03")["rows"] == 3

    def test_a_file_is_never_replaced_without_force(self, reach, held, tmp_path):
        path = tmp_path / "march.csv"
        path.write_text("mine")
        before = len(held.requests())
        assert "--force replaces it" in run("read", "2026-03", "-o", path, *reach, code=2).stderr
        assert (path.read_text(), len(held.requests())) == ("mine", before)
        run("read", "2026-03", "-o", path, "--force", *reach)
        assert rows_in(path) == held.rows("2026-03")

    def test_a_month_that_is_not_there(self, reach, tmp_path):
        result = run("read", "2026-05", "-o", tmp_path / "may.csv", *reach, code=1)
        assert "has no billing drop for 2026-05" in result.stderr
        assert list(tmp_path.iterdir()) == []

    def test_another_extension_is_wrong_usage(self, reach, tmp_path):
        assert "ends in .csv" in run("read", "2026-03", "-o", tmp_path / "march.xlsx", *reach, code=2).stderr

    def test_no_month(self, reach, tmp_path):
        assert "not a valid month" in run("read", "March", "-o", tmp_path / "march.csv", *reach, code=2).stderr


class TestConnection:
    def test_without_a_connection_both_ways_are_named(self):
        result = run("months", code=2, CLOUDZERO_API_KEY=None)
        assert "--conn-id" in result.stderr
        assert "CLOUDZERO_API_KEY" in result.stderr

    def test_without_a_stream(self, sandbox):
        result = run("months", "--host", sandbox.url, code=2, CLOUDZERO_API_KEY=KEY)
        assert result.stderr == "Error: No AnyCost stream: give --anycost-connection-id.\n"

    def test_the_host_of_a_connection_is_its_own(self, sandbox):
        result = run("months", "--conn-id", "cloudzero_default", "--host", sandbox.url, code=2)
        assert "a connection has its own" in result.stderr

    def test_a_connection_that_airflow_does_not_have(self):
        result = run("months", "--conn-id", "gone", code=2)
        assert "gone" in result.stderr
        assert "Is AIRFLOW_HOME that of your Airflow?" in result.stderr

    def test_an_outage_is_given_up_after_the_seconds_of_the_option(self, monkeypatch, sandbox):
        monkeypatch.setenv("AIRFLOW_CONN_DOWN", connection(sandbox).replace(sandbox.url, "http://127.0.0.1:9"))
        result = run("months", "--conn-id", "down", "--max-retry-seconds", 1, code=1)
        assert "refused" in result.stderr
        assert "1 s (max_retry_seconds)" in result.stderr

    def test_a_key_that_is_not_valid_is_not_shown(self, sandbox):
        key = "bad key with spaces 7c1f"
        result = run(
            *("months", "--host", sandbox.url, "--anycost-connection-id", STREAM), code=2, CLOUDZERO_API_KEY=key
        )
        assert "The API key contains white space" in result.stderr
        assert key not in result.output

    def test_a_key_in_the_host_is_refused_and_not_shown(self):
        host = f"https://{KEY}@api.cloudzero.com"
        result = run(
            *("months", "--host", host, "--anycost-connection-id", STREAM), code=2, CLOUDZERO_API_KEY="another"
        )
        assert KEY not in result.output


def test_no_output_of_any_command_has_the_key(reach, held, tmp_path):
    held.faults({"kind": "refuse", "status": 503, "method": "GET", "times": 2})
    outputs = [run("months", *reach).output]
    held.faults({"kind": "cut_reply", "method": "GET"})
    outputs += [run("read", "2026-03", "-o", tmp_path / "a.csv", *reach).output]
    assert all(KEY not in output for output in outputs)
