"""``problems_file``: the task fails as before, nothing was sent, and the file lists every problem."""

from __future__ import annotations

import csv
import json

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, ObjectStoragePath, task
from support.rows import bill_row as row
from support.sandbox_server import KEY
from support.tasks import context, send, send_telemetry
from support.telemetry_records import allocation

from cloudzero_provider import exceptions as errors
from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator
from cloudzero_provider.transforms import decimals

GOOD = [row(day=day, cost="1.5") for day in range(1, 32)]
BAD = [row(day=day, cost=f"${day}") for day in range(1, 32)]


def listed(path):
    if path.suffix != ".csv":
        return [json.loads(line) for line in path.read_text().splitlines()]
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def refused(run, **arguments):
    with pytest.raises(errors.InvalidRowsError) as error:
        run(**arguments)
    assert isinstance(error.value, AirflowFailException)
    return error.value


@pytest.mark.parametrize("name", ["problems.csv", "problems.jsonl", "problems.ndjson"])
def test_every_bad_row_is_listed_and_nothing_is_sent(sandbox, tmp_path, name):
    path = tmp_path / "lists" / name
    error = refused(send, records=BAD, problems_file=str(path))
    assert sandbox.requests() == []
    assert listed(path) == [
        {"where": f"row {day}", "column": "cost/cost", "value": f"'${day}'", "rule": "not a decimal number"}
        for day in range(1, 32)
    ]
    assert str(error) == f"{refused(send, records=BAD)}\n{path} lists every problem."
    assert error.problems_file == str(path)
    assert KEY not in path.read_text() + str(error)


def test_once_the_rows_are_corrected_there_is_no_list(sandbox, tmp_path):
    path = tmp_path / "problems.csv"
    refused(send, records=BAD, problems_file=str(path))
    send(records=GOOD, problems_file=str(path))
    assert not path.exists()
    assert sandbox.month("2026-03")["rows"] == 31


@pytest.mark.parametrize("name", ["problems.txt", "problems.csv.gz", "None", ""])
def test_another_ending_is_an_error_before_any_row_is_read(sandbox, tmp_path, name):
    called = []

    @task.cloudzero_billing_drop(task_id="send", month="2026-03", problems_file=name)
    def bill():
        called.append(1)
        return GOOD

    made = bill().operator
    with pytest.raises(errors.ConfigurationError, match=r"problems_file is '.*': expected a file that ends in \.csv"):
        made.execute(context(made))
    assert (called, sandbox.requests()) == ([], [])


def test_a_file_of_anybody_else_is_never_replaced(sandbox, tmp_path):
    bill = tmp_path / "march.csv"
    bill.write_text("time/usage_start,cost/cost\n2026-03-01,$1\n")
    before = bill.read_bytes()
    for path in (str(bill), f"file://{bill}", bill):
        with pytest.raises(errors.ConfigurationError, match="is not a list of problems, so it is not replaced"):
            send(files=str(bill), problems_file=path)
    assert bill.read_bytes() == before
    assert sandbox.requests() == []


def test_the_list_of_an_earlier_attempt_is_no_bill(sandbox, tmp_path):
    """Although the pattern of the bills matches it."""
    bill, path = tmp_path / "march.csv", tmp_path / "problems.csv"
    bill.write_text("time/usage_start,cost/cost\n2026-03-01,$1\n")
    files = {"files": str(tmp_path / "*.csv"), "problems_file": str(path)}
    for _ in range(2):
        refused(send, **files)
        assert [line["where"] for line in listed(path)] == [f"{bill}, line 2"]
    bill.write_text("time/usage_start,cost/cost\n2026-03-01,1\n")
    assert send(**files)["rows"] == 1


@pytest.mark.parametrize("kind", ["text", "object"])
def test_a_uri(sandbox, tmp_path, kind):
    path = tmp_path / "lists" / "problems.jsonl"
    uri = f"file://{path}" if kind == "text" else ObjectStoragePath(f"file://{path}")
    error = refused(send, records=BAD, problems_file=uri)
    assert len(listed(path)) == 31
    assert str(error).endswith(f"\nfile://{path} lists every problem.")
    refused(send, records=BAD[:7], problems_file=uri)
    assert len(listed(path)) == 7
    send(records=GOOD, problems_file=uri)
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("before", ["", "file://"], ids=["path", "uri"])
def test_a_list_that_can_t_be_written_is_no_reason_to_lose_the_error(sandbox, tmp_path, before):
    (tmp_path / "file").touch()
    path = f"{before}{tmp_path}/file/problems.csv"
    error = refused(send, records=BAD, problems_file=path)
    lines = str(error).splitlines()
    assert lines[:-1] == str(refused(send, records=BAD)).splitlines()
    assert lines[-1].startswith(f"The list of all problems could not be written to {path}: ")
    assert error.problems_file is None
    send(records=GOOD, problems_file=path)
    assert sandbox.month("2026-03")["rows"] == 31


def test_a_scheme_that_airflow_can_t_open_is_an_error_before_any_row_is_read(sandbox):
    with pytest.raises(errors.ConfigurationError, match=r"nosuch://bucket/a\.csv: Airflow can't open it"):
        send(records=GOOD, problems_file="nosuch://bucket/a.csv")
    assert sandbox.requests() == []


def test_lines_of_files_after_a_transform(sandbox, tmp_path):
    bill = tmp_path / "march.csv"
    bill.write_text("time/usage_start,cost/cost\n" + "".join(f"2026-03-{day:02d},x{day}\n" for day in range(1, 32)))
    path = tmp_path / "problems.csv"
    for transform in (decimals("cost/cost"), lambda frame: frame, None):
        error = refused(send, files=str(bill), transform=transform, problems_file=str(path))
        assert error.total == 31
        assert [line["where"] for line in listed(path)] == [f"{bill}, line {line}" for line in range(2, 33)]


def test_records_of_telemetry(sandbox, tmp_path):
    path = tmp_path / "problems.jsonl"
    records = [allocation(day, "a", -1) for day in range(1, 32)]
    error = refused(send_telemetry, records=records, problems_file=str(path))
    assert sandbox.requests() == []
    assert [line["where"] for line in listed(path)] == [f"row {day}" for day in range(1, 32)]
    assert str(error).endswith(f"\n{path} lists every problem.")
    send_telemetry(records=[allocation(day, "a", 1) for day in range(1, 32)], problems_file=str(path))
    assert not path.exists()


def test_rows_of_a_function(sandbox, tmp_path):
    path = tmp_path / "problems.csv"

    @task.cloudzero_billing_drop(task_id="send", month="2026-03", problems_file=str(path))
    def bill():
        yield BAD[:20]
        yield BAD[20:]

    @task.cloudzero_telemetry(
        task_id="send", stream_name="orders", stream_type="metric", month=None, problems_file=str(path)
    )
    def orders():
        return [{"timestamp": "2026-03-01", "value": "x"}] * 31

    for function in (bill, orders):
        made = function().operator
        refused(made.execute, context=context(made))
        assert len(listed(path)) == 31
    assert sandbox.requests() == []


def test_other_errors_list_nothing(sandbox, tmp_path):
    path = tmp_path / "problems.csv"
    send(records=GOOD)
    with pytest.raises(errors.MonthWouldShrinkError):
        send(records=GOOD[:1], problems_file=str(path))
    with pytest.raises(errors.MissingFileError):
        send(files=str(tmp_path / "gone.csv"), problems_file=str(path))
    assert not path.exists()


def test_it_is_templated():
    assert "problems_file" in AnyCostBillingDropOperator.template_fields
