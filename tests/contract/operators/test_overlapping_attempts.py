"""Two tries of one task that overlap, as the first was taken for dead and lives: what holds then, and what does not."""

from __future__ import annotations

import subprocess

import pytest
from support.attempts import BODY, PATIENCE, bill, held, hold, records, stopped, telemetry_held, wait_until
from support.tasks import SETTLE_SECONDS, connect, send, send_telemetry, start_worker

from cloudzero_provider import exceptions as errors

SENDING = {"max_body_bytes": BODY}
TELEMETRY = {"max_batch_records": 2}


@pytest.fixture
def patient(sandbox, monkeypatch):
    """
    Two that wait for each other need more than the 20 s of other tests on a busy machine: a process may be stopped while
    it sends a request, which runs until the sandbox gives it up after 60 s.
    """
    connect(monkeypatch, sandbox, max_retry_seconds=120)
    return sandbox


def wake_after_a_second_try(sandbox, first_bill, second_bill, begun):
    """Stop a first try when so many of its requests have begun; let it go on when a second one has finished."""
    sandbox.faults(hold(skip=begun - 1))
    first = start_worker(records=first_bill, **SENDING)
    with stopped(first, sandbox, lambda: len(sandbox.writes()) >= begun):
        before = len(sandbox.writes())
        send(records=second_bill, try_number=2, **SENDING)
        assert held(sandbox) == second_bill
        of_second = len(sandbox.writes())
        assert of_second > before
    return sandbox.writes()[of_second:]


@pytest.mark.parametrize("begun", [1, 9])
def test_equal_rows_are_exact_when_the_first_try_wakes_after_the_second_has_finished(patient, begun):
    late = wake_after_a_second_try(patient, bill(), bill(), begun)
    assert late
    assert held(patient) == bill()


def test_equal_rows_are_exact_when_the_first_try_wakes_while_the_second_sends(patient):
    patient.faults(hold(skip=4))
    first = start_worker(records=bill(), **SENDING)
    with stopped(first, patient, lambda: len(patient.writes()) >= 5):
        before = len(patient.writes())
        second = start_worker(records=bill(), try_number=2, **SENDING)
        wait_until(lambda: len(patient.writes()) >= before + 3)
    assert (first.returncode, second.wait(PATIENCE)) == (0, 0)
    assert held(patient) == bill()


def test_equal_rows_are_exact_when_the_first_try_wakes_before_it_has_sent_anything(sandbox):
    sandbox.faults(hold(method="GET"))
    first = start_worker(records=bill(), **SENDING)
    with stopped(first, sandbox, lambda: len(sandbox.requests()) >= 1):
        send(records=bill(), try_number=2, **SENDING)
    assert first.returncode == 0
    assert held(sandbox) == bill()


def test_outside_a_first_try_that_wakes_and_is_then_killed_leaves_the_month_of_the_second_incomplete(sandbox):
    sandbox.faults(hold(method="GET"))
    first = start_worker(records=bill(), **SENDING)
    with stopped(first, sandbox, lambda: len(sandbox.requests()) >= 1):
        send(records=bill(), try_number=2, **SENDING)
        done = len(sandbox.writes())
        sandbox.faults(hold(skip=2))
        first.wake()
        wait_until(lambda: len(sandbox.writes()) >= done + 3)
        first.kill()
    assert first.returncode == -9
    assert 0 < len(held(sandbox)) < len(bill())


def test_outside_a_first_try_with_other_rows_that_wakes_overwrites_hours_of_the_second(patient):
    late = wake_after_a_second_try(patient, bill("1.5"), bill("2.5"), 5)
    assert late
    assert [row["time/usage_start"] for row in held(patient)] == [row["time/usage_start"] for row in bill()]
    assert {row["cost/cost"] for row in held(patient)} == {"1.5", "2.5"}


HOUR = [
    {"time/usage_start": "2026-03-16T13:00:00Z", "cost/cost": f"{n}.5", "lineitem/type": "Usage"} for n in range(12)
]


def wake_inside_an_hour_of_several_requests(sandbox):
    """Stop a first try while it waits to send the rest of the hour; let it go on when a second has sent all of it."""
    sandbox.faults({"kind": "refuse", "status": 429, "retry_after": 3, "operation": "sum"})
    first = start_worker(records=HOUR, **SENDING)
    with stopped(first, sandbox, lambda: sandbox.armed() == [] and sandbox.writes()):
        send(records=HOUR, try_number=2, **SENDING)
        assert len(held(sandbox)) == len(HOUR)
    assert first.returncode == 0


def test_equal_rows_are_exact_when_the_first_try_wakes_inside_an_hour_of_several_requests(sandbox):
    wake_inside_an_hour_of_several_requests(sandbox)
    assert held(sandbox) == sorted(HOUR, key=lambda row: (row["time/usage_start"], row["cost/cost"]))


def test_outside_a_first_try_that_wakes_inside_such_an_hour_where_cloudzero_counts_the_rows_of_a_request(sandbox):
    sandbox.settings(row_count_means="request")
    try:
        wake_inside_an_hour_of_several_requests(sandbox)
    finally:
        sandbox.settings(row_count_means="month")
    assert len(HOUR) < len(held(sandbox)) < 2 * len(HOUR)


# sum


def adding(sandbox, tmp_path, when, run, **arguments):
    """Let a second try add while the first is stopped; gives the error of the second, if it had one."""
    arguments |= {"operation": "sum", "retries": 3, "store": str(tmp_path / "state.json")}
    first = start_worker(run.__name__, **arguments)
    with stopped(first, sandbox, when):
        try:
            run(try_number=2, **arguments)
        except errors.AmbiguousWriteError as error:
            return first, error
        return first, None


def test_of_two_tries_that_add_drops_the_second_stops_where_the_first_has_a_request_open(sandbox, tmp_path):
    sandbox.faults(hold(skip=3))
    _, error = adding(sandbox, tmp_path, lambda: len(sandbox.writes()) >= 4, send, records=bill(), **SENDING)
    assert "was in flight" in str(error)
    assert held(sandbox) == bill()


def test_a_try_that_adds_drops_and_wakes_after_the_second_has_added_them_adds_nothing(sandbox, tmp_path):
    sandbox.faults(hold(method="GET"))
    first, error = adding(sandbox, tmp_path, sandbox.requests, send, records=bill(), **SENDING)
    assert error is None
    assert first.returncode == 1
    assert held(sandbox) == bill()


def test_outside_two_tries_that_add_without_a_journal(sandbox):
    sandbox.faults(hold(method="GET"))
    first = start_worker(records=bill(), operation="sum", **SENDING)
    with stopped(first, sandbox, sandbox.requests):
        send(records=bill(), operation="sum", try_number=2, max_tries=1, **SENDING)  # a clear
    assert len(held(sandbox)) == 2 * len(bill())


def test_of_two_tries_that_add_telemetry_the_second_stops_where_the_first_has_a_request_open(sandbox, tmp_path):
    sandbox.faults(hold(skip=3))
    given = {"records": records(5), **TELEMETRY}
    _, error = adding(sandbox, tmp_path, lambda: len(sandbox.posts()) >= 4, send_telemetry, **given)
    assert "was in flight" in str(error)
    assert telemetry_held(sandbox) == {record["element_name"]: "5" for record in records(5)}


# Telemetry that replaces


def wake_after_second_telemetry(sandbox, second_value):
    sandbox.faults(hold(skip=3))
    first = start_worker("send_telemetry", records=records(5), **TELEMETRY)
    with stopped(first, sandbox, lambda: len(sandbox.posts()) >= 4):
        send_telemetry(records=records(second_value), try_number=2, **TELEMETRY)
    assert first.returncode == 0


def test_equal_telemetry_is_exact_when_the_first_try_wakes_after_the_second_has_finished(sandbox):
    wake_after_second_telemetry(sandbox, 5)
    assert telemetry_held(sandbox) == {record["element_name"]: "5" for record in records(5)}


def test_outside_other_telemetry_of_a_first_try_that_wakes_overwrites_that_of_the_second(sandbox):
    wake_after_second_telemetry(sandbox, 7)
    assert set(telemetry_held(sandbox).values()) == {"5", "7"}


# A clear during a run


INTERRUPTED = "import signal; signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))"
IGNORED = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"


@pytest.mark.parametrize("new_price", ["1.5", "2.5"])
@pytest.mark.parametrize("on_term", [INTERRUPTED, IGNORED], ids=["interrupted", "killed a little later"])
def test_a_clear_during_a_run_is_exact(sandbox, on_term, new_price):
    """Airflow 2 interrupts a task by SIGTERM. In Airflow 3 it runs on, until SIGKILL comes some seconds later."""
    late = {"kind": "lose_reply_then_apply", "seconds": SETTLE_SECONDS * 0.5, "skip": 4}
    sandbox.faults(late, hold(skip=5))
    first = start_worker(before=on_term, records=bill("1.5"), **SENDING)
    # A request is in the log before its body has arrived, and could be interrupted then.
    wait_until(lambda: len(sandbox.writes()) >= 5 and sandbox.writes()[4]["fault"])
    first.terminate()
    if on_term is IGNORED:
        with pytest.raises(subprocess.TimeoutExpired):
            first.wait(SETTLE_SECONDS * 0.1)
        first.kill()
    sandbox.clear_faults()
    send(records=bill(new_price), try_number=2, max_tries=1, **SENDING)
    assert first.wait(PATIENCE) in (143, -9)
    assert held(sandbox) == bill(new_price)
    assert sandbox.writes()[4]["applied"]
    assert sandbox.never_overlapped()


# Two runs of a DAG for one month, without a pool


def send_both(first_bill, second_bill):
    runs = [start_worker(records=rows, **SENDING) for rows in (first_bill, second_bill)]
    assert [run.wait(PATIENCE) for run in runs] == [0, 0]


def test_two_runs_with_equal_rows_at_the_same_time_are_exact_when_both_have_ended(patient):
    send_both(bill(), bill())
    assert held(patient) == bill()


def test_outside_two_runs_with_other_rows_at_the_same_time_may_mix_but_count_no_hour_twice(patient):
    send_both(bill("1.5"), bill("2.5"))
    assert [row["time/usage_start"] for row in held(patient)] == [row["time/usage_start"] for row in bill()]
    assert {row["cost/cost"] for row in held(patient)} <= {"1.5", "2.5"}
