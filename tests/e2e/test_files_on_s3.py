"""Files on S3, over HTTP, with an Airflow connection in the URI."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowNotFoundException
from support.big_export import BY, MONTH, ROWS, write_export
from support.bills import cbf_bill
from support.formats import polars_frame, write_csv
from support.paths import environment
from support.tasks import connect, send

from cloudzero_provider.exceptions import (
    CloudZeroError,
    ConfigurationError,
    InputError,
    InvalidRowsError,
    MissingFileError,
)


@pytest.fixture
def connected(sandbox, s3, monkeypatch):
    """Airflow connections to the sandbox and to S3."""
    connect(monkeypatch, sandbox)
    monkeypatch.setenv("AIRFLOW_CONN_ACME_S3", s3.airflow_connection())
    return s3


def test_a_pattern_finds_files_of_several_kinds(connected, sandbox, tmp_path):
    rows = cbf_bill()
    write_csv(rows[:50], tmp_path / "a.csv")
    polars_frame(rows[50:100]).write_parquet(tmp_path / "b.parquet")
    write_csv(rows[100:], tmp_path / "c.csv")
    files = {
        "2024-09/a.csv": tmp_path / "a.csv",
        "2024-09/b.parquet": tmp_path / "b.parquet",
        "2024-09/c+d e#f?.csv.gz": gzip.compress((tmp_path / "c.csv").read_bytes()),
        "2024-09/notes.txt": b"none of these",
        "2024-09/folder/a.csv": b"none,of,these\n",
        "2024-10/a.csv": b"none,of,these\n",
    }
    connected.bucket("several-kinds", files)
    base = "s3://acme_s3@several-kinds/2024-09"
    summary = send(files=[f"{base}/*.csv", f"{base}/?.parquet", f"{base}/*.csv.gz"], month=MONTH)
    total = sum(Fraction(row["cost/cost"]) for row in rows)
    assert (summary["rows"], Fraction(summary["total_cost"])) == (150, total)
    assert Fraction(sandbox.month(MONTH)["total_cost"]) == total


def test_a_folder_that_matches_the_pattern_is_an_error(connected, sandbox, tmp_path):
    write_csv(cbf_bill(), tmp_path / "a.csv")
    part = b"time/usage_start,cost/cost\n2024-09-01,5\n"
    connected.bucket("tables", {"2024-09/a.csv": tmp_path / "a.csv", "2024-09/spark.csv/part-0.csv": part})
    with pytest.raises(
        InputError, match=r"spark\.csv is a folder: name the files in it, for example s3://.*/spark\.csv/\*"
    ):
        send(files="s3://acme_s3@tables/2024-09/*.csv", month=MONTH)
    assert sandbox.requests() == []
    assert send(files="s3://acme_s3@tables/2024-09/**/*.csv", month=MONTH)["rows"] == len(cbf_bill()) + 1


def test_a_replaced_file_is_read_again(connected, sandbox):
    line = "time/usage_start,cost/cost\n2024-09-01,{}\n"
    connected.bucket("replaced", {"bill.csv": line.format("1").encode()})
    assert send(files="s3://acme_s3@replaced/*.csv", month=MONTH)["total_cost"] == "1"
    more = {"bill.csv": line.format("1000000.5").encode(), "more.csv": line.format("0.25").encode()}
    for key, content in more.items():
        connected.client.put_object(Bucket="replaced", Key=key, Body=content)
    assert send(files="s3://acme_s3@replaced/*.csv", month=MONTH)["total_cost"] == "1000000.75"


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("s3://acme_s3@there/folder.csv", r"^s3://acme_s3@there/folder\.csv: .*it is a directory"),
        ("s3://stranger@there/2024-09/bill.csv", r"^s3://stranger@there/2024-09/bill\.csv: .*Forbidden"),
        ("s3://acme_s3@there/2024-09/cut.csv.gz", r"^s3://acme_s3@there/2024-09/cut\.csv\.gz, "),
        ("s3://acme_s3@there/2024-09/short.csv", r"s3://acme_s3@there/2024-09/short\.csv, line 3: 1 cells"),
    ],
)
def test_an_error_that_a_retry_cant_fix_names_the_file(connected, sandbox, monkeypatch, uri, message):
    try:
        connected.client.head_bucket(Bucket="there")
    except connected.client.exceptions.ClientError:
        line = b"time/usage_start,cost/cost\n2024-09-01,1\n"
        files = {"2024-09/bill.csv": line, "folder.csv/bill.csv": line, "2024-09/short.csv": line + b"2024-09-02\n"}
        connected.bucket("there", {**files, "2024-09/cut.csv.gz": gzip.compress(line * 100)[:-10]})
    # Without credentials, and without a metadata service that could supply them.
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    extra = {"endpoint_url": connected.url, "region_name": "us-east-1"}
    monkeypatch.setenv("AIRFLOW_CONN_STRANGER", json.dumps({"conn_type": "aws", "extra": extra}))
    with pytest.raises(InputError, match=message) as error:
        send(files=uri, month=MONTH)
    assert isinstance(error.value, AirflowFailException)
    assert sandbox.writes() == []


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("s3://acme_s3@later/bill.csv", "there is no such file .*bucket does not exist"),
        ("s3://acme_s3@later/*.csv", "no file matches"),
        ("s3://acme_s3@there/later.csv", "there is no such file"),
    ],
)
def test_a_file_that_is_not_written_yet_can_be_retried(connected, sandbox, uri, message):
    with pytest.raises(MissingFileError, match=rf"^{re.escape(uri)}: {message}.*, so nothing was sent\.") as error:
        send(files=uri, month=MONTH)
    assert not isinstance(error.value, AirflowFailException)
    assert sandbox.writes() == []


def test_a_missing_connection_is_an_error(connected, sandbox):
    with pytest.raises(AirflowNotFoundException, match="nobody"):
        send(files="s3://nobody@there/bill.csv", month=MONTH)
    assert sandbox.writes() == []


def test_a_storage_outage_can_be_retried(connected, sandbox, monkeypatch):
    refused = connected.airflow_connection(
        endpoint_url="http://127.0.0.1:9", config_kwargs={"retries": {"max_attempts": 1}}
    )
    monkeypatch.setenv("AIRFLOW_CONN_S3_IS_DOWN", refused)
    with pytest.raises(Exception, match="Could not connect to the endpoint URL") as error:
        send(files="s3://s3_is_down@acme/bill.csv", month=MONTH)
    assert not isinstance(error.value, (AirflowFailException, CloudZeroError))
    assert sandbox.writes() == []


#: Runs a task in its own process and prints the peak memory of the process, Airflow included.
TASK = """
import json, sys
from pathlib import Path
from support.tasks import send
from cloudzero_provider.anycost import aggregate
given = json.loads(sys.argv[1])
summary = send(transform=aggregate(**given.pop("aggregate")), **given)
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
print(json.dumps({"summary": summary, "peak": int(peak.split()[1]) * 1024}))
"""


def test_problems_are_listed_and_an_earlier_list_is_deleted(connected, sandbox):
    connected.bucket("lists", {"march.csv": b"time/usage_start,cost/cost\n2024-09-01,1\n"})
    base = "s3://acme_s3@lists"
    bad = [{"time/usage_start": "2024-09-01", "cost/cost": f"${number}"} for number in range(70_000)]
    with pytest.raises(InvalidRowsError) as error:
        send(records=bad, month=MONTH, problems_file=f"{base}/2024-09/problems.jsonl")
    assert str(error.value).endswith(f"\n{base}/2024-09/problems.jsonl lists every problem.")
    found = connected.client.get_object(Bucket="lists", Key="2024-09/problems.jsonl")["Body"].read().splitlines()
    assert [json.loads(line)["value"] for line in found] == [f"'${number}'" for number in range(70_000)]
    assert sandbox.requests() == []

    good = [{"time/usage_start": "2024-09-01", "cost/cost": "1"}]
    send(records=good, month=MONTH, problems_file=f"{base}/2024-09/problems.jsonl")
    with pytest.raises(ConfigurationError, match="is not a list of problems, so it is not replaced"):
        send(records=good, month=MONTH, problems_file=f"{base}/march.csv")
    assert [one["Key"] for one in connected.client.list_objects_v2(Bucket="lists")["Contents"]] == ["march.csv"]


def test_problems_of_which_no_list_can_be_written(connected, sandbox, monkeypatch):
    bad = [{"time/usage_start": "2024-09-01", "cost/cost": "x"}]
    refused = connected.airflow_connection(
        endpoint_url="http://127.0.0.1:9", config_kwargs={"retries": {"max_attempts": 1}}
    )
    monkeypatch.setenv("AIRFLOW_CONN_S3_IS_DOWN", refused)
    for uri in ("s3://acme_s3@no-such-bucket/problems.csv", "s3://s3_is_down@lists/problems.csv"):
        with pytest.raises(InvalidRowsError) as error:
            send(records=bad, month=MONTH, problems_file=uri)
        lines = str(error.value).splitlines()
        assert (len(lines), lines[0]) == (3, "1 problem in the rows; nothing was sent.")
        assert lines[-1].startswith(f"The list of all problems could not be written to {uri}: ")
        send(records=[{**bad[0], "cost/cost": "1"}], month=MONTH, problems_file=uri)
        assert sandbox.month(MONTH)["rows"] == 1
    with pytest.raises(ConfigurationError, match="no_such_connection"):
        send(records=bad, month=MONTH, problems_file="s3://no_such_connection@lists/problems.csv")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux reports the peak memory of a process")
def test_a_million_rows_aggregated_are_exact_and_need_less_than_a_gibibyte(connected, sandbox, tmp_path):
    export = write_export(tmp_path / "export.parquet")
    connected.bucket("acme-big-export", {f"{MONTH}/export.parquet": tmp_path / "export.parquet"})
    (tmp_path / "export.parquet").unlink()
    given = {"files": f"s3://acme_s3@acme-big-export/{MONTH}/*.parquet", "month": MONTH}
    arguments = {**given, "aggregate": {"by": BY, "period": "day"}}
    done = subprocess.run(
        [sys.executable, "-c", TASK, json.dumps(arguments)], env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-4000:]
    output = json.loads(done.stdout.splitlines()[-1])
    print(f"peak memory of the task: {output['peak'] / 2**20:.0f} MiB")
    assert output["peak"] < 1_000_000_000

    summary, month = output["summary"], sandbox.month(MONTH)
    assert summary["rows"] == month["rows"] == len(export.groups) < ROWS / 10
    assert summary["bytes"] < 70_000_000
    assert summary["requests"] == len(sandbox.writes()) > 1
    assert Fraction(summary["total_cost"]) == Fraction(month["total_cost"]) == Fraction(export.total)
    rows = sandbox.rows(MONTH)
    held = {(row["time/usage_start"][:10], *(row.get(name) for name in BY)): row for row in rows}
    assert {group: Decimal(row["cost/cost"]) for group, row in held.items()} == export.groups
    assert len(held) == len(rows)
