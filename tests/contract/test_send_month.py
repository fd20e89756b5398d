"""A month of 200,000 rows, whatever is lost, repeated or restarted on the way."""

from __future__ import annotations

import csv
import json
import random
import time
from decimal import Decimal

import pytest
from support.tasks import SETTLE_SECONDS, connect, send, start_worker

from cloudzero_provider.exceptions import RequestRejectedError

MONTH = "2026-03"

LOST_1ST_3RD_LAST = [{"kind": "apply_then_lose_reply", "skip": skip} for skip in (0, 3, 14)]
APPLIED_LATER = [{"kind": "lose_reply_then_apply", "seconds": SETTLE_SECONDS * 0.4, "skip": skip} for skip in (0, 4)]
NEVER_APPLIED = [{"kind": "lose_request", "skip": skip} for skip in (0, 5)]
REFUSED = [
    {"kind": "refuse", "status": 503, "skip": 1},
    {"kind": "refuse", "status": 503, "retry_after": 1, "skip": 3},
    {"kind": "refuse", "status": 429, "skip": 5},
    {"kind": "refuse", "status": 429, "retry_after": "Thu, 01 Jan 2026 00:00:00 GMT", "skip": 7},
    {"kind": "refuse", "status": 409, "skip": 9},
    {"kind": "refuse", "status": 502, "skip": 11},
]
CUT_SHORT = [{"kind": "cut_reply", "skip": 2}]
ALL = [
    {"kind": "apply_then_lose_reply"},
    {"kind": "lose_reply_then_apply", "seconds": SETTLE_SECONDS * 0.4, "skip": 3},
    {"kind": "refuse", "status": 503, "skip": 5},
    {"kind": "lose_request", "skip": 7},
    {"kind": "refuse", "status": 429, "retry_after": 1, "skip": 9},
    {"kind": "cut_reply", "skip": 12},
    {"kind": "apply_then_lose_reply", "skip": 15},
]


@pytest.fixture
def patient(sandbox, monkeypatch):
    """The sandbox, with time to apply a lost request of 4 MB late on a busy machine before it counts as settled."""
    connect(monkeypatch, sandbox, settle_seconds=5)
    return sandbox


@pytest.fixture(scope="module")
def digest(server, big_month):
    """What the sandbox says of the month when nothing goes wrong, after a look at every row."""
    with pytest.MonkeyPatch.context() as patch:
        server.reset()
        connect(patch, server)
        summary = send(files=str(big_month.path))
    assert summary["bytes"] > 60_000_000
    assert (summary["rows"], Decimal(summary["total_cost"])) == (big_month.rows, big_month.total)
    held = sorted(json.dumps(row, sort_keys=True) for row in server.rows(MONTH))
    with big_month.path.open(newline="") as file:
        given = [{name: plain(name, value) for name, value in row.items() if value} for row in csv.DictReader(file)]
    assert held == sorted(json.dumps(row, sort_keys=True) for row in given)
    return server.month(MONTH)["digest"]


def plain(name, value):
    """A cell as it is sent: numbers have no zeros that mean nothing."""
    if not name.startswith(("cost/", "usage/amount")) or "." not in value:
        return value
    return value.rstrip("0").rstrip(".")


def assert_exact(sandbox, big_month, digest):
    month = sandbox.month(MONTH)
    assert (month["rows"], Decimal(month["total_cost"])) == (big_month.rows, big_month.total)
    assert month["digest"] == digest
    assert sandbox.never_overlapped()


@pytest.mark.parametrize(
    "faults",
    [LOST_1ST_3RD_LAST, APPLIED_LATER, NEVER_APPLIED, REFUSED, CUT_SHORT, ALL],
    ids=["lost", "applied later", "never applied", "refused", "cut short", "all"],
)
def test_the_month_is_exact_after_faults_and_after_running_again(patient, big_month, digest, faults):
    patient.faults(*faults)
    send(files=str(big_month.path))
    assert patient.armed() == []
    assert_exact(patient, big_month, digest)
    again = send(files=str(big_month.path))
    assert again["replaced_rows"] == big_month.rows
    assert_exact(patient, big_month, digest)


def test_a_refusal_in_the_middle_says_what_stands_and_running_again_heals(sandbox, big_month, digest):
    sandbox.faults({"kind": "refuse", "status": 400, "body": {"error": {"message": "No.", "type": "T"}}, "skip": 6})
    with pytest.raises(RequestRejectedError, match=r"HTTP 400: T: No\..* 6 of 15 requests stand: .* of 200,000 rows"):
        send(files=str(big_month.path))
    assert sandbox.month(MONTH)["rows"] < big_month.rows
    send(files=str(big_month.path), try_number=2)
    assert_exact(sandbox, big_month, digest)


@pytest.mark.parametrize("seed", range(4))
def test_a_killed_worker_leaves_a_month_that_running_again_heals(sandbox, big_month, digest, seed):
    draw = random.Random(seed)
    if seed % 2:
        sandbox.faults({"kind": "slow", "seconds": 0.5, "times": 15})
    worker = start_worker(files=str(big_month.path))
    wait_for_writes(sandbox, draw.randint(1, 12))
    time.sleep(draw.uniform(0, 0.5))
    worker.kill()
    worker.wait()
    sandbox.clear_faults()
    assert worker.returncode == -9
    send(files=str(big_month.path), try_number=2)
    assert_exact(sandbox, big_month, digest)


def test_the_request_of_a_killed_worker_is_applied_later_and_does_no_harm(sandbox, big_month, digest):
    sandbox.faults({"kind": "lose_reply_then_apply", "seconds": SETTLE_SECONDS * 0.8, "skip": 4})
    worker = start_worker(files=str(big_month.path))
    wait_for_writes(sandbox, 5)
    wait_until(lambda: sandbox.armed() == [])
    worker.kill()
    worker.wait()
    send(files=str(big_month.path), try_number=2)
    late = sandbox.writes()[4]
    assert late["status"] is None
    assert late["applied"]
    first_of_second_run = next(r for r in sandbox.writes()[5:] if r["operation"] == "replace_drop")
    assert late["applied_at"] < first_of_second_run["started"]
    assert_exact(sandbox, big_month, digest)


def wait_for_writes(sandbox, count):
    wait_until(lambda: len(sandbox.writes()) >= count)


def wait_until(true, seconds=300):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture(scope="module")
def giant_hour(big_month, tmp_path_factory):
    """The same month, with an hour of 12 MB in it."""
    path = tmp_path_factory.mktemp("giant") / "march.csv"
    with big_month.path.open(newline="") as file:
        header, *rows = csv.reader(file)
    start = header.index("time/usage_start")
    for row in rows[:36_000]:
        row[start] = "2026-03-10T10:00:00Z"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


@pytest.mark.parametrize(
    "faults",
    [
        [],
        [{"kind": "apply_then_lose_reply", "operation": "sum"}],
        [{"kind": "apply_then_lose_reply", "operation": "sum", "skip": 1}],
        [{"kind": "lose_reply_then_apply", "operation": "sum", "seconds": SETTLE_SECONDS * 0.4, "times": 2}],
        [
            {"kind": "refuse", "status": 429, "operation": "sum"},
            {"kind": "refuse", "status": 503, "operation": "sum", "skip": 1},
        ],
    ],
    ids=["no faults", "first sum lost", "last sum lost", "sums applied later", "refused"],
)
def test_an_hour_of_12_mb_is_exact_when_replies_inside_it_are_lost(patient, big_month, giant_hour, faults):
    patient.faults(*faults)
    send(files=str(giant_hour))
    assert patient.armed() == []
    assert "sum" in {request["operation"] for request in patient.writes()}
    month = patient.month(MONTH)
    assert (month["rows"], Decimal(month["total_cost"])) == (big_month.rows, big_month.total)
    assert patient.never_overlapped()
    held = sorted(json.dumps(row, sort_keys=True) for row in patient.rows(MONTH))
    with giant_hour.open(newline="") as file:
        given = [{name: plain(name, value) for name, value in row.items() if value} for row in csv.DictReader(file)]
    assert held == sorted(json.dumps(row, sort_keys=True) for row in given)
