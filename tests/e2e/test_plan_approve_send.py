"""
The example of an approval in a complete Airflow: what CloudZero holds after a person approves, rejects or stays silent.

People respond by Airflow's REST API, and once in its page. Each run sends a month of its own, all at the same time.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from acme_bill import month_rows
from demo_airflow import Run
from e2e.conftest import EXAMPLES
from playwright.sync_api import expect
from support.airflow_rest import clear, create_run, finished, question, respond, states, unpause, xcom
from support.clients import client_of
from support.connection_form import distinct_lines
from support.example_bills import assert_holds, total
from support.sandbox_server import STREAM

from cloudzero_provider import sources
from cloudzero_provider.anycost.checks import check_rows
from cloudzero_provider.anycost.send import send_month
from cloudzero_provider.anycost.send_options import SendOptions
from cloudzero_provider.months import Month

DAG_ID, IMPATIENT = "anycost_plan_approve_send", "no_time_to_approve"
#: Text of a vendor, which must be shown as it is.
SERVICE = "{{ 7 * 7 }} | <img src=x onerror=alert(1)> [x](javascript:alert(1)) `"
LINKS = "![x](https://vendor.example/x.png) https://vendor.example www.vendor.example"
APPROVAL, SEND = "approve_bill", "send_bill"
PLANNED = {"make_bill": "success", "plan_bill": "success", "needs_approval": "success"}


def older_bill(month):
    """Before the vendor corrected it: a service cost half, two others are still in it, and a day is missing."""
    rows = [dict(row) for row in month_rows(month) if not row["time/usage_start"].startswith(f"{month}-28")]
    for row in rows:
        if row.get("resource/service") == "Acme Database":
            row["cost/cost"] = str(Decimal(row["cost/cost"]) / 2)
    gone = {"time/usage_start": f"{month}-02T00:00:00Z", "cost/cost": "12.5"}
    return [*rows, *({**gone, "resource/service": name} for name in (SERVICE, LINKS))]


def nearly_the_same_bill(month):
    """A bill that costs a little less."""
    rows = [dict(row) for row in month_rows(month)]
    rows[1]["cost/cost"] = str(Decimal(rows[1]["cost/cost"]) - Decimal("0.01"))
    return rows


def hold(server, month, rows):
    """Another program sends a month."""
    checked = check_rows(sources.from_records(rows), Month.parse(month))
    client = client_of(server.url)
    send_month(client, STREAM, checked, SendOptions(min_rows_ratio=0))
    client.close()


@dataclass(frozen=True)
class Case:
    """
    A run.

    :param month: that it sends.
    :param held: returns what CloudZero holds before.
    :param dag_id: of the example, or of a copy that waits for a shorter time.
    :param is_asked: whether a person is asked.
    """

    month: str
    held: object = older_bill
    dag_id: str = DAG_ID
    is_asked: bool = True


CASES = {
    "approved": Case("2021-01"),
    "approved in the page": Case("2021-02"),
    "rejected": Case("2021-03"),
    "timed out": Case("2021-04", dag_id=IMPATIENT),
    "file changed": Case("2021-05"),
    "held month changed": Case("2021-06"),
    "new month": Case("2021-07", held=lambda month: [], is_asked=False),
    "small change": Case("2021-08", held=nearly_the_same_bill, is_asked=False),
    "open month": Case("2099-09", is_asked=False),
}
UNASKED = [name for name, case in CASES.items() if not case.is_asked]


@pytest.fixture(scope="module")
def airflow(shared_airflow, written_dags):
    example = (EXAMPLES / f"{DAG_ID}.py").read_text(encoding="utf-8")
    copy = example.replace(f'"{DAG_ID}"', f'"{IMPATIENT}"').replace("timedelta(days=3)", "timedelta(seconds=1)")
    assert copy.count(IMPATIENT) == copy.count("seconds=1") == 1
    (written_dags / f"{IMPATIENT}.py").write_text(copy, encoding="utf-8")
    (written_dags / "acme_bill.py").write_text((EXAMPLES / "acme_bill.py").read_text(encoding="utf-8"))
    shared_airflow.wait("the DAGs", lambda: shared_airflow.is_up([DAG_ID, IMPATIENT]), limit=60)
    return shared_airflow


@pytest.fixture(scope="module")
def runs(airflow, server):
    """The run of each case, once it waits for a person or has ended."""
    server.reset()
    runs = {}
    for name, case in CASES.items():
        if rows := case.held(case.month):
            hold(server, case.month, rows)
        runs[name] = create_run(airflow, case.dag_id, conf={"month": case.month})
    for dag_id in (DAG_ID, IMPATIENT):
        unpause(airflow, dag_id)

    def is_ready(name):
        case = CASES[name]
        found = states(airflow, case.dag_id, runs[name])
        waits = found.get(APPROVAL) in ("awaiting_input", "failed")
        return waits if case.is_asked else found.get(SEND) in ("success", "failed")

    airflow.wait("all runs", lambda: all(map(is_ready, runs)), limit=120)
    return runs


@pytest.fixture(scope="module")
def responses(airflow, server, runs):
    """What happens while runs wait, and the responses, of all but the one in the page."""
    file = Path(xcom(airflow, DAG_ID, runs["file changed"], "make_bill"))
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(lines[:-1]), encoding="utf-8")
    month = CASES["held month changed"].month
    hold(server, month, nearly_the_same_bill(month))
    for name in ("approved", "file changed", "held month changed"):
        respond(airflow, DAG_ID, runs[name], APPROVAL, "Approve")
    respond(airflow, DAG_ID, runs["rejected"], APPROVAL, "Reject")


def outcome(airflow, runs, name):
    """Wait for the end of a run; return its state, and those of the approval and of sending."""
    case = CASES[name]
    state = finished(airflow, case.dag_id, runs[name]).state
    found = states(airflow, case.dag_id, runs[name])
    assert {task_id: found[task_id] for task_id in PLANNED} == PLANNED
    return state, found[APPROVAL], found[SEND]


def log_of(airflow, run_id, task_id):
    logs = [log for log in airflow.task_logs(DAG_ID, Run(run_id, "", None, None)) if f"task_id={task_id}" in str(log)]
    return "".join(log.read_text(encoding="utf-8") for log in logs)


@pytest.mark.parametrize("name", UNASKED)
def test_nobody_is_asked_about_a(airflow, server, runs, name):
    assert outcome(airflow, runs, name) == ("success", "skipped", "success")
    assert_holds(server, CASES[name].month, month_rows(CASES[name].month))


def test_the_plan_is_shown_as_it_is(airflow, runs):
    asked = question(airflow, DAG_ID, runs["approved in the page"], APPROVAL)
    plan, month = (
        xcom(airflow, DAG_ID, runs["approved in the page"], "plan_bill"),
        CASES["approved in the page"].month,
    )
    assert (asked["subject"], asked["body"]) == (f"Replace {month} in CloudZero?", plan["markdown"])
    assert Fraction(plan["held"]["totals"]["cost/cost"]) == total(older_bill(month))
    assert Fraction(plan["totals"]["cost/cost"]) == total(month_rows(month))
    assert SERVICE in [line["value"] for line in plan["changes"]["by_value"]]


def test_the_page_shows_the_plan_and_its_button_approves(airflow, server, runs, browser, tmp_path):
    name, foreign, dialogs = "approved in the page", [], []
    month = CASES[name].month
    page = browser.new_page(viewport={"width": 1400, "height": 2800})
    page.on("dialog", lambda dialog: dialogs.append(dialog.dismiss()))
    page.on("request", lambda sent: None if airflow.url in sent.url else foreign.append(sent.url))
    page.goto(f"{airflow.url}/dags/{DAG_ID}/runs/{runs[name]}/tasks/{APPROVAL}/required_actions")
    expect(page.get_by_role("cell", name=SERVICE, exact=True).first).to_be_visible()
    assert LINKS in [text.replace("\u2060", "") for text in page.get_by_role("cell").all_inner_texts()]
    assert page.locator("table a, table img").count() == 0
    assert distinct_lines(page.screenshot(path=tmp_path / "approval.png")) > 300
    assert_holds(server, month, older_bill(month))

    page.get_by_role("button", name="Approve").click()
    assert outcome(airflow, runs, name) == ("success", "success", "success")
    assert_holds(server, month, month_rows(month))
    assert (foreign, dialogs) == ([], [])


def test_what_is_approved_is_sent(airflow, server, runs, responses):
    assert outcome(airflow, runs, "approved") == ("success", "success", "success")
    assert_holds(server, CASES["approved"].month, month_rows(CASES["approved"].month))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("rejected", ("success", "success", "skipped")),
        ("timed out", ("failed", "failed", "upstream_failed")),
        ("file changed", ("failed", "success", "failed")),
    ],
)
def test_nothing_is_sent_when(airflow, server, runs, responses, name, expected):
    assert outcome(airflow, runs, name) == expected
    assert_holds(server, CASES[name].month, older_bill(CASES[name].month))


def test_nothing_is_sent_when_the_held_month_changed(airflow, server, runs, responses):
    month = CASES["held month changed"].month
    assert outcome(airflow, runs, "held month changed") == ("failed", "success", "failed")
    assert_holds(server, month, nearly_the_same_bill(month))


@pytest.mark.parametrize("name", ["file changed", "held month changed"])
def test_the_error_says_what_differs(airflow, runs, responses, name):
    outcome(airflow, runs, name)
    assert "PlanDiffersError" in log_of(airflow, runs[name], SEND)


def test_a_cleared_run_does_not_have_another_plan_approved(airflow, server, runs, responses):
    """Airflow would show the plan of the first attempt."""
    name = "rejected"
    outcome(airflow, runs, name)
    clear(airflow, DAG_ID, runs[name])
    assert finished(airflow, DAG_ID, runs[name]).state == "failed"
    assert states(airflow, DAG_ID, runs[name])["needs_approval"] == "failed"
    assert "Trigger a new run" in log_of(airflow, runs[name], "needs_approval")
    assert_holds(server, CASES[name].month, older_bill(CASES[name].month))


def test_a_new_run_has_the_new_plan_approved(airflow, server, runs, responses):
    name = "held month changed"
    month, first = CASES[name].month, question(airflow, DAG_ID, runs[name], APPROVAL)
    outcome(airflow, runs, name)
    hold(server, month, older_bill(month)[:-2])
    again = create_run(airflow, DAG_ID, conf={"month": month})
    airflow.wait("the question", lambda: states(airflow, DAG_ID, again).get(APPROVAL) == "awaiting_input", limit=60)
    asked = question(airflow, DAG_ID, again, APPROVAL)["body"]
    assert asked == xcom(airflow, DAG_ID, again, "plan_bill")["markdown"]
    assert asked != first["body"]
    respond(airflow, DAG_ID, again, APPROVAL, "Approve")
    assert finished(airflow, DAG_ID, again).state == "success"
    assert_holds(server, month, month_rows(month))
