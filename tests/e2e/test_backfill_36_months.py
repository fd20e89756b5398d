"""
A backfill of 36 months in a complete Airflow, eight runs at a time, each of which sends and then waits in the triggerer.

Meanwhile the triggerer is killed, and the scheduler with its workers in the middle of a request. Airflow and this
package recover without help.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from decimal import Decimal
from itertools import pairwise

import pytest
from e2e.dags.backfill_36_months import DAG_ID, MONTHS, STREAM_NAME, bill, orders
from support.airflow_database import ask
from support.airflow_rest import unpause
from support.sandbox_server import KEY, STREAM

pytestmark = pytest.mark.long

LISTED_AFTER, PROCESSED_AFTER = 3, 5
# How soon Airflow notices a dead component; the defaults are minutes.
QUICK = {
    "CORE__PARALLELISM": 6,
    "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": 15,
    "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": 3,
    "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": 5,
    "SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": 15,
    "TRIGGERER__JOB_HEARTBEAT_SEC": 2,
    "TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": 8,
}
CORRECTED = "2024-02"
# A write takes milliseconds in the sandbox, so two writers would seldom overlap.
SLOW_WRITES = {"kind": "slow", "seconds": 0.3, "method": "POST", "times": 1000}


def show(server, listed_after, processed_after):
    server.settings(read_lag_seconds=listed_after, processed_after_seconds=processed_after)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder with the files of the months."""
    return tmp_path_factory.mktemp("bills")


@pytest.fixture(scope="module")
def airflow(start_airflow, server, folder):
    show(server, LISTED_AFTER, PROCESSED_AFTER)
    settings = {f"AIRFLOW__{name}": str(value) for name, value in QUICK.items()} | {"E2E_FOLDER": str(folder)}
    components = ("api-server", "scheduler", "dag-processor", "triggerer")
    with start_airflow([DAG_ID], components=components, settings=settings) as airflow:
        unpause(airflow, DAG_ID)
        yield airflow
    server.default_settings()


def instances(airflow, task_id, state=None):
    """The task's instances by month: state, try number, start date and end date."""
    found = ask(
        airflow,
        "SELECT partition_key, task_instance.state, try_number, task_instance.start_date, task_instance.end_date"
        " FROM task_instance JOIN dag_run USING (dag_id, run_id) WHERE dag_id = ? AND task_id = ?",
        DAG_ID,
        task_id,
    )
    return {month: tuple(more) for month, *more in found if state in (None, more[0])}


def count_of(airflow, state):
    return sum(run.state == state for run in airflow.runs(DAG_ID))


def writes(server, since=0):
    """Requests that write."""
    return [r for r in server.requests() if r["method"] == "POST" and r["number"] > since]


@pytest.fixture(scope="module")
def killed(airflow, server):
    """Backfill, kill, restart, and wait for the end; return what was running when components were killed."""
    server.faults(SLOW_WRITES)
    airflow.command(
        "backfill", "create", "--dag-id", DAG_ID, "--from-date", "2023-01-01", "--to-date", "2025-12-31",
        "--max-active-runs", "8",
    )  # fmt: skip

    def deferred():
        return {
            task_id: list(instances(airflow, task_id, "deferred")) for task_id in ("wait_for_bill", "wait_for_orders")
        }

    airflow.wait("some runs", lambda: count_of(airflow, "success") > 3, limit=180)
    # However slow the machine is, the sensors that wait now keep waiting until a new triggerer runs.
    show(server, 600, 600)
    airflow.wait("sensors of both kinds", lambda: min(map(len, deferred().values())) > 1, limit=180)
    airflow.kill("triggerer")
    found = {"deferred": deferred()}
    [(old,)] = ask(airflow, "SELECT max(id) FROM job WHERE job_type = 'TriggererJob'")
    airflow.start(["triggerer"])
    left = 'SELECT id FROM "trigger" WHERE triggerer_id IS NULL OR triggerer_id = ?'
    airflow.wait("the new triggerer to take over", lambda: not ask(airflow, left, old), limit=60)
    last = server.requests()[-1]["number"]
    polls = 4 * sum(map(len, found["deferred"].values()))
    airflow.wait("several polls", lambda: server.requests()[-1]["number"] > last + polls, limit=60)
    found["still deferred"] = deferred()
    show(server, LISTED_AFTER, PROCESSED_AFTER)

    airflow.wait("a third of the runs", lambda: count_of(airflow, "success") > 11, limit=180)
    server.clear_faults()
    last = server.requests()[-1]["number"]
    server.faults({**SLOW_WRITES, "seconds": 3, "times": 1, "connection_id": STREAM}, SLOW_WRITES)

    def in_a_request():
        sending = [request for request in writes(server, last) if request["month"] and request["fault"]]
        return [request for request in sending if request["applied"] and request["ended"] is None]

    airflow.wait("a request", in_a_request, limit=60, pause=0.1)
    found["sending"] = in_a_request()[0]["month"]
    airflow.kill("scheduler")
    airflow.start(["scheduler"])

    def is_over():
        return count_of(airflow, "success") + count_of(airflow, "failed") == len(MONTHS)

    airflow.wait("all runs", is_over, limit=600)
    return found


def test_all_runs_succeed(airflow, killed):
    runs = airflow.runs(DAG_ID)
    assert {run.partition_key: run.state for run in runs} == dict.fromkeys(MONTHS, "success")
    assert len(runs) == len(MONTHS)


def assert_exact(server, corrected=()):
    held, expected = server.months(), {month: bill(month, corrected=month in corrected) for month in MONTHS}
    assert sorted(held) == MONTHS
    for month, lines in expected.items():
        assert held[month]["rows"] == len(lines)
        assert Decimal(held[month]["total_cost"]) == sum(Decimal(cost) for _, cost in lines)
    records = server.records(STREAM_NAME)
    counted = [line for month in MONTHS for line in orders(month, corrected=month in corrected)]
    assert [(record["timestamp"][:10], int(record["value"])) for record in records] == counted


def test_every_month_is_exact(server, killed):
    assert_exact(server)


def test_one_write_on_a_stream_at_a_time(server, killed):
    for path in ("/billing_drops", f"/{STREAM_NAME}/replace"):
        of_stream = [request for request in writes(server) if request["path"].endswith(path)]
        assert len(of_stream) >= len(MONTHS)
        pairs = pairwise(of_stream)
        assert [(first, second) for first, second in pairs if second["started"] < first["ended"]] == []


@pytest.mark.parametrize("task_id", ["send_bill", "send_orders"])
def test_one_task_sends_at_a_time(airflow, killed, task_id):
    """Overlapping writes alone would not show two such tasks: one may wait while the other writes."""
    times = sorted((began, ended) for _, _, began, ended in instances(airflow, task_id).values())
    assert [(first, second) for first, second in pairwise(times) if second[0] < first[1]] == []


def test_no_attempt_sends_a_month_twice(airflow, server, killed):
    sent = Counter(request["month"] for request in writes(server) if request["month"] and request["applied"])
    tries = {month: count for month, (_, count, *_) in instances(airflow, "send_bill").items()}
    assert [month for month in MONTHS if sent[month] > tries[month]] == []


def test_the_month_of_the_killed_request_was_sent_again(airflow, server, killed):
    month = killed["sending"]
    sent = [request for request in writes(server) if request["month"] == month and request["applied"]]
    assert [request["status"] for request in sent] == [None, 200]
    assert instances(airflow, "send_bill")[month][1] == 2


def test_a_new_triggerer_took_over_and_no_wait_ended_early(killed):
    for task_id, months in killed["deferred"].items():
        assert set(months) <= set(killed["still deferred"][task_id])


def test_only_the_cleared_month_is_sent_again(airflow, server, folder, killed):
    last = server.requests()[-1]["number"]
    (folder / f"{CORRECTED}.corrected").touch()
    airflow.command("dags", "clear", DAG_ID, "--partition-key", CORRECTED, "-y")

    def is_over():
        return count_of(airflow, "success") == len(MONTHS) and len(writes(server, last)) > 1

    airflow.wait("the cleared run", is_over, limit=120)
    assert_exact(server, corrected=[CORRECTED])
    sent = [(request["path"].rpartition("/")[2], request["month"]) for request in writes(server, last)]
    assert sorted(sent) == [("billing_drops", CORRECTED), ("replace", None)]


ALLOWED = re.compile(
    r"done|timed_out|refused"  # outcomes
    r"|Pending|Loading|Available|Invalid"  # CloudZero's statuses
    r"|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-z]{12}"  # ids of drops and connections
    r"|20[0-9]{2}-[01][0-9](-[0-9]{2}T[0-9:]{8}\+00:00)?"  # months and times
    rf"|{STREAM_NAME}"
)
# As logged by the triggerer, and by the sensor.
EVENT = re.compile(rb"(?:TriggerEvent<|The trigger ended: )(\{.*?\})[>\"]")


def is_allowed(leaf):
    """Numbers must be counts, which are small here; costs and values are large."""
    return ALLOWED.fullmatch(leaf) if isinstance(leaf, str) else leaf is None or int(leaf) < 100


def leaves(value):
    return [leaf for item in value.values() for leaf in leaves(item)] if isinstance(value, dict) else [value]


def test_the_key_is_in_no_file_and_events_hold_ids_states_and_times(airflow, killed):
    files = [path for folder in (airflow.home, airflow.processes.logs) for path in folder.rglob("*") if path.is_file()]
    contents = {str(path): path.read_bytes() for path in files}
    assert any(path.endswith("airflow.db") for path in contents)
    assert any(b"CloudZero shows: " in content for content in contents.values())
    assert [path for path, content in contents.items() if KEY.encode() in content] == []
    found = [event for content in contents.values() for event in EVENT.findall(content)]
    events = [ast.literal_eval(event.decode()) for event in found]
    assert {"anycost_connection_id", "stream_name"} < {name for event in events for name in event["reading"]}
    assert len(events) >= sum(map(len, killed["deferred"].values()))
    assert [leaf for event in events for leaf in leaves(event) if not is_allowed(leaf)] == []
