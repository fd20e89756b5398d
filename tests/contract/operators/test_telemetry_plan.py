"""A plan of telemetry makes no request, and is what the sending operator sends."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSkipException
from support.tasks import context, send_telemetry as send
from support.telemetry_records import allocation, many_records

from cloudzero_provider import exceptions as errors

#: With a duplicate, a float that is rounded, and a zero at the end.
RECORDS = [
    *(
        allocation(day, f"team-{n}", f"{day}.{n:03}", filter={"accounts": [f"{n}"]})
        for day in (1, 2, 5)
        for n in range(30)
    ),
    allocation(7, "a", 1, filter={"accounts": ["1122"]}),
    allocation(7, "a", 0.1 + 0.2, filter={"accounts": ["1122"]}),
    allocation(8, "b", 0, filter={"accounts": ["1122"]}),
]
CHOICES: dict[str, Any] = {"on_duplicate": "sum", "on_zero": "delete", "month": "2026-03", "max_batch_records": 40}


def plan(**arguments: Any) -> dict[str, Any]:
    """Run a planning task once."""
    from cloudzero_provider.operators.plan import TelemetryPlanOperator

    stream = {"stream_name": "orders-per-team", "stream_type": "allocation", "granularity": "DAILY"}
    task = TelemetryPlanOperator(task_id="plan", **{**stream, **arguments})
    return task.execute(context(task))


@pytest.mark.parametrize(
    ("operation", "choices"),
    [
        ("replace", CHOICES),
        ("replace", {**CHOICES, "clear_periods": True}),
        ("sum", {"month": None, "max_body_bytes": 4_000}),
        ("delete", {"max_batch_records": 40}),
    ],
)
def test_a_plan_makes_no_request_and_is_what_is_sent(sandbox, operation, choices):
    records = RECORDS if operation == "replace" else RECORDS[:-1]
    report = plan(records=records, operation=operation, **choices)
    assert sandbox.requests() == []
    if operation == "delete":
        send(records=records, operation="sum")
    before = len(sandbox.posts())
    summary = send(records=records, operation=operation, **choices)
    posts = sandbox.posts()[before:]
    sizes = [post["bytes"] for post in posts]
    assert (report["requests"], report["bytes"], report["largest_request_bytes"]) == (
        len(posts),
        sum(sizes),
        max(sizes),
    )
    assert len(posts) > 1
    of_sending = {"record_hashes", "check_only"}
    assert {name: report[name] for name in summary.keys() - of_sending} == {
        name: value for name, value in summary.items() if name not in of_sending
    }


def test_it_needs_no_connection(monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_CLOUDZERO_DEFAULT", raising=False)
    assert plan(records=RECORDS[:2])["records"] == 2


def test_the_report_as_a_file(sandbox, tmp_path):
    for target in (f"{tmp_path}/reports/plain.md", f"file://{tmp_path}/reports/uri.md"):
        report = plan(records=RECORDS[:9], report_file=target)
        path = Path(target.removeprefix("file://"))
        assert path.read_text(encoding="utf-8").strip() == report["markdown"].strip()
    assert sandbox.requests() == []


def test_another_file_than_markdown_is_refused_before_the_records_are_read(tmp_path):
    target = str(tmp_path / "report.html")
    with pytest.raises(errors.ConfigurationError, match=re.escape(f"report_file is {target!r}: expected a path")):
        plan(files=f"{tmp_path}/none.csv", report_file=target)


def test_records_that_sending_refuses_are_refused(sandbox, tmp_path):
    listed, report_file = tmp_path / "problems.csv", tmp_path / "report.md"
    bad = [allocation(1, value=-1), allocation(2, value="many")]
    with pytest.raises(errors.InvalidRowsError, match="2 problems in the rows") as refused:
        plan(records=bad, problems_file=str(listed), report_file=str(report_file))
    assert isinstance(refused.value, AirflowFailException)
    assert len(listed.read_text().splitlines()) == 3
    with pytest.raises(errors.InvalidRowsError, match=re.escape("the same identity as row")):
        plan(records=RECORDS)
    assert not report_file.exists()
    assert sandbox.requests() == []


def test_a_task_without_records(sandbox):
    with pytest.raises(AirflowSkipException, match="No records for orders-per-team"):
        plan(records=[])
    with pytest.raises(errors.InputError, match="No records for orders-per-team"):
        plan(records=[], on_empty="fail")
    with pytest.raises(errors.ConfigurationError, match="on_empty"):
        plan(records=[], on_empty="clear")


def test_records_of_a_file_after_a_transform(tmp_path):
    path = tmp_path / "records.csv"
    path.write_text("timestamp,amount,element_name\n2026-03-01,1.5,a\n2026-03-02,2.5,b\n")
    report = plan(files=str(path), transform=lambda frame: frame.rename({"amount": "value"}))
    assert (report["records"], report["total"]) == (2, "4")


def test_many_records_have_a_small_report():
    report = plan(records=many_records(50_000))
    assert len(json.dumps(report)) < 15_000
    assert (report["records"], report["by_value"]["others"]["values"]) == (50_000, 50_000 // 31 + 1 - 20)
