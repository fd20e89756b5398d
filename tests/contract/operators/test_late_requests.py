"""Time as an adversary: requests applied late, readings that lag behind, clocks that jump, a machine that sleeps."""

from __future__ import annotations

import itertools
import threading
import time
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
import time_machine
from support.attempts import BODY, MONTH, bill, held, hold, records, stopped, telemetry_held, wait_until
from support.tasks import SETTLE_SECONDS, connect, read, send, send_telemetry, start_worker
from support.waiting import POKE, wait

from cloudzero_provider import exceptions as errors
from cloudzero_provider.anycost import verification
from cloudzero_provider.sensors.anycost import AnyCostBillingDropSensor

SENDING = {"max_body_bytes": BODY}
TELEMETRY = {"max_batch_records": 2}
#: Applied so long after its answer was lost, and no later than ``settle_seconds`` allow.
LATE = {"kind": "lose_reply_then_apply", "seconds": SETTLE_SECONDS * 0.5}


@pytest.fixture(autouse=True)
def _no_lag_afterwards(sandbox):
    yield
    catch_up(sandbox)


def late_ones_came_before_what_followed(sandbox):
    """Whether each request that was applied late had been when the next one began."""
    requests = sandbox.requests()
    return sandbox.never_overlapped() and all(
        request["applied_at"] < after["started"]
        for request, after in itertools.pairwise(requests)
        if request["fault"] == LATE["kind"]
    )


# Requests applied late


def test_several_late_requests_in_one_month_and_its_last_one(sandbox):
    sandbox.faults(*({**LATE, "skip": skip} for skip in (2, 3, 9)), {**LATE, "skip": 10})
    send(records=bill(), **SENDING)
    assert sandbox.armed() == []
    assert held(sandbox) == bill()
    assert late_ones_came_before_what_followed(sandbox)


def test_the_last_request_of_a_run_is_late_and_another_run_follows(sandbox):
    sandbox.faults({**LATE, "skip": 9})
    send(records=bill("1.5"), **SENDING)
    assert sandbox.armed() == []
    send(records=bill("2.5"), **SENDING)
    assert held(sandbox) == bill("2.5")
    assert late_ones_came_before_what_followed(sandbox)


FOLLOWERS = {"a retry": {"try_number": 2}, "a cleared task": {"try_number": 2, "max_tries": 1}, "another run": {}}


@pytest.fixture
def impatient(sandbox, monkeypatch):
    """Gives up at the first answer that is lost."""
    connect(monkeypatch, sandbox, max_retry_seconds=0)
    return sandbox


@pytest.mark.parametrize("skip", [0, 5, 9])
@pytest.mark.parametrize("follower", FOLLOWERS.values(), ids=FOLLOWERS)
def test_the_last_request_of_a_run_that_fails_is_late_and_another_follows(impatient, follower, skip):
    impatient.faults({**LATE, "skip": skip})
    with pytest.raises(errors.CloudZeroUnavailableError):
        send(records=bill("1.5"), **SENDING)
    send(records=bill("2.5", hours=30), **SENDING, **follower)
    assert held(impatient) == bill("2.5", hours=30)
    assert late_ones_came_before_what_followed(impatient)


@pytest.mark.parametrize("follower", FOLLOWERS.values(), ids=FOLLOWERS)
def test_the_last_telemetry_of_a_run_that_fails_is_late_and_another_follows(impatient, follower):
    impatient.faults({**LATE, "skip": 4})
    with pytest.raises(errors.CloudZeroUnavailableError):
        send_telemetry(records=records(5), **TELEMETRY)
    send_telemetry(records=records(7), **TELEMETRY, **follower)
    assert set(telemetry_held(impatient).values()) == {"7"}
    assert late_ones_came_before_what_followed(impatient)


def test_outside_telemetry_that_is_applied_later_than_settle_seconds_overwrites_what_came_after(sandbox, monkeypatch):
    connect(monkeypatch, sandbox, settle_seconds=0.2, max_retry_seconds=0)
    sandbox.faults({"kind": "lose_reply_then_apply", "seconds": 6})
    with pytest.raises(errors.CloudZeroUnavailableError):
        send_telemetry(records=records(5), **TELEMETRY)
    send_telemetry(records=records(7), **TELEMETRY)
    assert set(telemetry_held(sandbox).values()) == {"7"}
    wait_until(lambda: all(post["ended"] for post in sandbox.posts()))
    assert set(telemetry_held(sandbox).values()) == {"5", "7"}


# Readings that lag behind


def lags_behind(sandbox, seconds):
    """Let readings show what was there so long ago, and wait until that is what is there now."""
    sandbox.settings(read_lag_seconds=seconds)
    time.sleep(seconds + 0.2)


def send_unseen(sandbox, seen, unseen):
    """Send a bill, and another after it; readings show the first one for some seconds."""
    send(records=seen, **SENDING)
    moment = time.time()
    time.sleep(4)
    sandbox.settings(read_lag_seconds=600)
    send(records=unseen, min_rows_ratio=0, **SENDING)
    sandbox.settings(read_lag_seconds=time.time() - moment)


def catch_up(sandbox):
    sandbox.settings(read_lag_seconds=0)


def readings(sandbox):
    return [r for r in sandbox.requests() if r["path"].endswith(MONTH) and r["ended"]]


def test_verify_waits_until_what_it_wrote_shows(sandbox, monkeypatch):
    monkeypatch.setattr(verification, "VERIFY_PAUSE", 0.1)
    sandbox.settings(read_lag_seconds=600)

    def watch():
        wait_until(lambda: len(readings(sandbox)) >= 2)
        catch_up(sandbox)

    watching = threading.Thread(target=watch)
    watching.start()
    send(records=bill(), verify=True, **SENDING)
    watching.join()
    assert {reading["status"] for reading in readings(sandbox)} == {404, 200}
    assert held(sandbox) == bill()


def test_outside_verify_cannot_distinguish_equal_rows_of_an_earlier_run(sandbox):
    send(records=bill(), **SENDING)
    lags_behind(sandbox, 4)
    before = len(readings(sandbox))
    send(records=bill(), verify=True, **SENDING)
    # The first one, before the month is written, is to see whether the key may read it at all.
    _, reading = readings(sandbox)[before:]
    assert reading["started"] - sandbox.writes()[-1]["applied_at"] < 4


def test_a_month_that_is_cleared_is_read_back_until_its_old_rows_do_not_show(sandbox, monkeypatch):
    monkeypatch.setattr(verification, "VERIFY_PAUSE", 0.2)
    send(records=bill(), **SENDING)
    lags_behind(sandbox, 2)
    assert send(records=[], on_empty="clear")["replaced_rows"] == 40
    last = readings(sandbox)[-1]
    assert last["status"] == 404
    assert last["started"] - sandbox.writes()[-1]["applied_at"] >= 2
    catch_up(sandbox)
    assert held(sandbox) == []


def test_a_listing_that_lags_behind_makes_the_guard_refuse_a_month_that_has_shrunk_on_purpose(sandbox):
    send_unseen(sandbox, bill(hours=40), bill(hours=10))
    done = len(sandbox.writes())
    with pytest.raises(errors.MonthWouldShrinkError, match="10 rows would replace the 40"):
        send(records=bill(hours=10), **SENDING)
    assert len(sandbox.writes()) == done
    catch_up(sandbox)
    assert held(sandbox) == bill(hours=10)
    send(records=bill(hours=10), **SENDING)


def test_outside_a_listing_that_lags_behind_hides_from_the_guard_the_rows_that_were_sent_last(sandbox):
    send_unseen(sandbox, bill(hours=10), bill(hours=40))
    assert send(records=bill(hours=10), **SENDING)["replaced_rows"] == 10
    catch_up(sandbox)
    assert held(sandbox) == bill(hours=10)


def test_outside_reading_a_month_back_shows_an_earlier_one_until_a_sensor_has_seen_the_rows(sandbox, tmp_path):
    send_unseen(sandbox, bill(hours=10), bill(hours=40))
    path = str(tmp_path / "march.csv")
    assert read(path=path)["rows"] == 10
    wait(AnyCostBillingDropSensor, POKE, month=MONTH, rows=40)
    assert read(path=path)["rows"] == 40


# Clocks


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_jumps_by_an_hour_during_a_run_changes_nothing(sandbox, hours):
    in_a_second = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=1), usegmt=True)
    throttled = {"kind": "refuse", "status": 429, "retry_after": in_a_second, "skip": 6}
    sandbox.faults({**LATE, "skip": 2}, throttled, {"kind": "lose_request", "skip": 8})
    traveller = time_machine.travel(datetime.now(timezone.utc) + timedelta(hours=hours))

    def jump():
        wait_until(lambda: len(sandbox.writes()) >= 3)
        traveller.start()

    jumping = threading.Thread(target=jump)
    jumping.start()
    began, clock = time.monotonic(), time.time()
    try:
        send(records=bill(), **SENDING)
        jumping.join()
        assert abs(time.time() - clock) > 3000
    finally:
        traveller.stop()
    assert 0 < time.monotonic() - began < 300
    assert sandbox.armed() == []
    assert held(sandbox) == bill()
    assert late_ones_came_before_what_followed(sandbox)


@pytest.mark.parametrize("under_way", [hold(skip=4), {**LATE, "skip": 4}], ids=["answered", "lost"])
def test_a_machine_that_sleeps_for_longer_than_settle_seconds_with_a_request_under_way(sandbox, under_way):
    sandbox.faults(under_way, hold(skip=5))
    worker = start_worker(records=bill(), **SENDING)
    with stopped(worker, sandbox, lambda: len(sandbox.writes()) >= 5):
        time.sleep(SETTLE_SECONDS * 2)
    assert worker.returncode == 0
    assert held(sandbox) == bill()
    assert late_ones_came_before_what_followed(sandbox)
