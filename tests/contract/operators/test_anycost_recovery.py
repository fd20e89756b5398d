"""A month of 20,000 rows, whatever is lost, repeated or restarted on the way."""

from __future__ import annotations

import random
import time
from decimal import Decimal

import pytest
from support.attempts import wait_until
from support.months import in_any_order, with_a_giant_hour
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
    connect(monkeypatch, sandbox, settle_seconds=3)
    return sandbox


def send_month(month, **arguments):
    return send(files=str(month.path), **month.sending, **arguments)


def digest_of(server, month):
    """What the sandbox says of the month when nothing goes wrong, after a look at every row."""
    with pytest.MonkeyPatch.context() as patch:
        server.reset()
        connect(patch, server)
        summary = send_month(month)
    assert summary["requests"] == 15
    assert (summary["rows"], Decimal(summary["total_cost"])) == (month.rows, month.total)
    assert in_any_order(server.rows(MONTH)) == in_any_order(month.read())
    return server.month(MONTH)["digest"]


@pytest.fixture(scope="module")
def digest(server, small_month):
    return digest_of(server, small_month)


def assert_exact(sandbox, month, digest):
    held = sandbox.month(MONTH)
    assert (held["rows"], Decimal(held["total_cost"])) == (month.rows, month.total)
    assert held["digest"] == digest
    assert sandbox.never_overlapped()


def assert_exact_after_faults_and_after_running_again(sandbox, month, digest, faults):
    sandbox.reset()
    sandbox.faults(*faults)
    summary = send_month(month)
    assert sandbox.armed() == []
    assert_exact(sandbox, month, digest)
    again = send_month(month)
    assert again["replaced_rows"] == month.rows
    assert_exact(sandbox, month, digest)
    return summary


@pytest.mark.parametrize(
    "faults",
    [LOST_1ST_3RD_LAST, APPLIED_LATER, NEVER_APPLIED, REFUSED, CUT_SHORT],
    ids=["lost", "applied later", "never applied", "refused", "cut short"],
)
def test_the_month_is_exact_after_faults_and_after_running_again(sandbox, small_month, digest, faults):
    assert_exact_after_faults_and_after_running_again(sandbox, small_month, digest, faults)


def test_200_000_rows_are_exact_after_faults_and_after_running_again(patient, big_month):
    digest = digest_of(patient, big_month)
    summary = assert_exact_after_faults_and_after_running_again(patient, big_month, digest, ALL)
    assert summary["bytes"] > 60_000_000


def test_a_refusal_in_the_middle_says_what_was_applied_and_a_rerun_completes_it(sandbox, small_month, digest):
    sandbox.faults({"kind": "refuse", "status": 400, "body": {"error": {"message": "No.", "type": "T"}}, "skip": 6})
    with pytest.raises(
        RequestRejectedError, match=r"^HTTP 400: T: No \(POST /.* 6 of 15 requests for \S+: .* of 20,000 rows"
    ):
        send_month(small_month)
    assert sandbox.month(MONTH)["rows"] < small_month.rows
    send_month(small_month, try_number=2)
    assert_exact(sandbox, small_month, digest)


@pytest.mark.parametrize("seed", range(4))
def test_a_killed_worker_leaves_a_month_that_running_again_heals(sandbox, small_month, digest, seed):
    draw = random.Random(seed)
    sandbox.faults({"kind": "slow", "seconds": 0.5 if seed % 2 else 0.2, "times": 15})
    worker = start_worker(files=str(small_month.path), **small_month.sending)
    wait_for_writes(sandbox, draw.randint(1, 12))
    time.sleep(draw.uniform(0, 0.5))
    worker.kill()
    worker.wait()
    sandbox.clear_faults()
    assert worker.returncode == -9
    send_month(small_month, try_number=2)
    assert_exact(sandbox, small_month, digest)


def test_the_request_of_a_killed_worker_is_applied_later_and_does_no_harm(sandbox, small_month, digest):
    sandbox.faults({"kind": "lose_reply_then_apply", "seconds": SETTLE_SECONDS * 0.5, "skip": 4})
    worker = start_worker(files=str(small_month.path), **small_month.sending)
    wait_for_writes(sandbox, 5)
    wait_until(lambda: sandbox.armed() == [])
    worker.kill()
    worker.wait()
    send_month(small_month, try_number=2)
    late = sandbox.writes()[4]
    assert late["status"] is None
    assert late["applied"]
    first_of_second_run = next(r for r in sandbox.writes()[5:] if r["operation"] == "replace_drop")
    assert late["applied_at"] < first_of_second_run["started"]
    assert_exact(sandbox, small_month, digest)


def wait_for_writes(sandbox, count):
    wait_until(lambda: len(sandbox.writes()) >= count)


@pytest.fixture(scope="module")
def giant_hour(small_month, tmp_path_factory):
    return with_a_giant_hour(small_month, tmp_path_factory.mktemp("giant") / "march.csv")


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
def test_an_hour_of_several_requests_is_exact_when_replies_inside_it_are_lost(sandbox, giant_hour, faults):
    assert_hour_is_exact(sandbox, giant_hour, faults)


def test_an_hour_of_12_mb_is_exact_when_replies_inside_it_are_lost(patient, big_month, tmp_path):
    giant_hour = with_a_giant_hour(big_month, tmp_path / "march.csv")
    assert_hour_is_exact(patient, giant_hour, [{"kind": "apply_then_lose_reply", "operation": "sum"}])


def assert_hour_is_exact(sandbox, giant_hour, faults):
    sandbox.faults(*faults)
    send_month(giant_hour)
    assert sandbox.armed() == []
    assert [request["operation"] for request in sandbox.writes()].count("sum") >= 2
    month = sandbox.month(MONTH)
    assert (month["rows"], Decimal(month["total_cost"])) == (giant_hour.rows, giant_hour.total)
    assert sandbox.never_overlapped()
    assert in_any_order(sandbox.rows(MONTH)) == in_any_order(giant_hour.read())
