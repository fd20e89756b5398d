"""The sensor for AnyCost billing drops against the sandbox, waiting in a worker and in a trigger."""

from __future__ import annotations

import time

import pytest
from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowNotFoundException,
    AirflowSensorTimeout,
    AirflowSkipException,
)
from support.rows import bill_row
from support.sandbox_server import STREAM
from support.tasks import connect, context, send, start_worker
from support.waiting import DEFERRABLE, POKE, Waited, first_event, wait

from cloudzero_provider import exceptions as errors
from cloudzero_provider.sensors.anycost import AnyCostBillingDropSensor
from cloudzero_provider.triggers.anycost import AnyCostBillingDropTrigger

modes = pytest.mark.parametrize("mode", [POKE, DEFERRABLE])


@pytest.fixture(autouse=True)
def _same_settings_afterwards(sandbox):
    before = sandbox.current_settings()
    yield
    sandbox.settings(**before)


def row(day=1, cost="1.5", hour=13):
    return bill_row(day, hour, cost)


MONTH = [row(day) for day in range(1, 32)]


def wait_for(mode, waited=None, **arguments):
    return wait(AnyCostBillingDropSensor, mode, waited, **arguments)


@modes
def test_a_month_that_was_sent_is_found(sandbox, mode):
    summary = send(records=MONTH)
    assert wait_for(mode, summary=summary).result == {
        "anycost_connection_id": STREAM,
        "month": "2026-03",
        "listed": True,
        "drop_id": summary["drop_ids"][0],
        "rows": 31,
    }


@modes
def test_it_waits_until_the_listing_shows_it_and_not_what_was_there_before(sandbox, mode):
    send(records=MONTH[:-1])
    time.sleep(1.6)
    sandbox.settings(read_lag_seconds=1.5)
    summary = send(records=MONTH)
    waited = Waited()
    with pytest.raises(AirflowSensorTimeout):
        wait_for(POKE, summary=summary, timeout=0.3)
    assert wait_for(mode, waited, summary=summary).result["rows"] == 31
    assert len(waited.triggers) == (mode == DEFERRABLE)


@modes
@pytest.mark.parametrize("row_count_means", ["month", "request"])
@pytest.mark.parametrize("operation", ["replace_drop", "replace_hourly", "sum"])
def test_a_month_of_several_requests_and_every_operation(sandbox, mode, operation, row_count_means):
    sandbox.settings(row_count_means=row_count_means)
    send(records=MONTH)
    rows = [row(day, hour=hour) for day in range(1, 31) for hour in range(24)]
    summary = send(records=rows, operation=operation, max_body_bytes=10_000)
    assert summary["requests"] > 3
    assert wait_for(mode, summary=summary).result["rows"] >= (len(rows) if row_count_means == "month" else 1)


@modes
def test_a_month_that_was_cleared_is_there_when_it_is_not_listed(sandbox, mode):
    send(records=MONTH)
    summary = send(records=[], on_empty="clear")
    assert wait_for(mode, summary=summary).result["rows"] in (None, 0)


@modes
def test_by_hand(sandbox, mode):
    connect_id = {"anycost_connection_id": STREAM, "month": "2026-03"}
    with pytest.raises(AirflowSensorTimeout):
        wait_for(mode, **connect_id, timeout=0.3)
    summary = send(records=MONTH)
    assert wait_for(mode, month="2026-03").result["listed"]
    assert wait_for(mode, **connect_id, rows=31, drop_id=summary["drop_ids"][0]).result["rows"] == 31
    for wrong in ({"rows": 30}, {"drop_id": "another"}, {"month": "2026-04"}):
        with pytest.raises(AirflowSensorTimeout):
            wait_for(mode, **{**connect_id, **wrong}, timeout=0.3)


@modes
def test_an_unknown_stream_in_a_404_and_a_running_request_mean_not_yet(sandbox, mode):
    sandbox.faults({"kind": "refuse", "status": 404, "method": "GET", "times": 2})
    summary = send(records=MONTH, min_rows_ratio=0)
    sandbox.clear_faults()
    sandbox.faults(
        {"kind": "refuse", "status": 404, "method": "GET"}, {"kind": "refuse", "status": 409, "method": "GET"}
    )
    assert wait_for(mode, summary=summary).result["listed"]
    assert sandbox.armed() == []


@modes
def test_it_waits_while_another_month_is_being_sent(sandbox, mode):
    summary = send(records=MONTH)
    sandbox.faults({"kind": "slow", "seconds": 1.5, "method": "POST"})
    other = [{**row(), "time/usage_start": "2026-04-01"}]
    sending = start_worker(records=other, month="2026-04")
    while not [request for request in sandbox.requests() if request["month"] == "2026-04"]:
        time.sleep(0.05)
    assert wait_for(mode, summary=summary).result["rows"] == 31
    assert sending.wait(60) == 0
    assert sandbox.months()["2026-04"]["rows"] == 1


@modes
@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_ends_the_wait_at_once(sandbox, mode, status):
    summary = send(records=MONTH)
    sandbox.faults({"kind": "refuse", "status": status, "method": "GET", "times": 100})
    with pytest.raises(errors.AuthenticationError, match="read_billing_anycost_billing_drops") as error:
        wait_for(mode, summary=summary)
    assert isinstance(error.value, AirflowFailException)
    with pytest.raises(AirflowSkipException):
        wait_for(mode, summary=summary, soft_fail=True)


@modes
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "No month"),
        ({"month": "2026-13"}, "2026-13"),
        ({"summary": {"month": "2026-03"}}, "expected what one AnyCostBillingDropOperator returned"),
        ({"summary": {"month": "2026-03"}, "rows": 3, "month": "2026-03"}, "summary already says month, rows"),
    ],
)
def test_what_can_t_be_waited_for_is_an_error_at_once(sandbox, mode, arguments, message):
    with pytest.raises(errors.CloudZeroError, match=message):
        wait_for(mode, **arguments)
    assert sandbox.requests() == []


@modes
def test_a_summary_of_none_does_not_match_any_drop(sandbox, mode, monkeypatch):
    send(records=MONTH)
    sensor = AnyCostBillingDropSensor(task_id="wait", summary={"of": "an upstream task"}, mode="poke")
    sensor.deferrable = mode == DEFERRABLE
    sensor.summary = None  # what Airflow makes of an upstream task's None, after __init__
    with pytest.raises(errors.InputError, match="summary is None"):
        sensor.execute(context(sensor))


@modes
def test_nothing_sent_is_nothing_to_wait_for(sandbox, mode):
    summary = send(records=MONTH, check_only=True)
    with pytest.raises(AirflowSkipException, match="check_only"):
        wait_for(mode, summary=summary)


def test_the_trigger_s_arguments_and_events_hold_ids_states_and_times(sandbox):
    summary = send(records=MONTH)
    sandbox.faults({"kind": "refuse", "status": 503, "method": "GET"})
    waited = wait_for(DEFERRABLE, summary=summary, timeout=60)
    ((path, arguments),) = waited.triggers
    assert path == "cloudzero_provider.triggers.anycost.AnyCostBillingDropTrigger"
    assert 0 < arguments.pop("deadline") - time.time() < 60
    assert arguments == {
        "cloudzero_conn_id": "cloudzero_default",
        "poll_interval": 0.2,
        "anycost_connection_id": STREAM,
        "month": "2026-03",
        "drop_ids": summary["drop_ids"],
        "row_counts": [31],
        "or_more": False,
    }
    (event,) = waited.events
    assert event.pop("at").startswith("20")
    assert event == {"outcome": "done", "reading": waited.result}


def test_an_unusable_connection_ends_the_wait_with_its_error(sandbox, monkeypatch):
    summary = send(records=MONTH)
    connect(monkeypatch, sandbox, timeout=0)
    with pytest.raises(errors.ConfigurationError, match="timeout is 0"):
        wait_for(DEFERRABLE, summary=summary)


@modes
@pytest.mark.parametrize("operation", ["sum", "replace_hourly"])
def test_a_listing_from_before_rows_were_added_is_not_enough(sandbox, mode, operation):
    send(records=MONTH)
    time.sleep(1.6)
    sandbox.settings(read_lag_seconds=1.5)
    summary = send(records=[row(2, hour=5), row(3, hour=5)], operation=operation)
    assert wait_for(mode, summary=summary).result["rows"] == 33


@modes
def test_a_mapped_wait_for_none_is_an_error(sandbox, mode):
    send(records=MONTH)
    for arguments in ({"summary": None, "month": "2026-03"}, {"summary": None}):
        with pytest.raises(errors.CloudZeroError, match="summary"):
            wait_for(mode, **arguments)


def test_what_an_upstream_task_returned_can_be_the_rows_and_the_drop(sandbox):
    summary = send(records=MONTH)
    assert wait_for(POKE, month="2026-03", rows="31").result["rows"] == 31
    with pytest.raises(errors.ConfigurationError, match="rows is 'many': expected a whole number"):
        wait_for(POKE, month="2026-03", rows="many")
    sensor = AnyCostBillingDropSensor(task_id="wait", month="2026-03", drop_id=summary["drop_ids"][0], mode="poke")
    sensor.drop_id = None  # what Airflow makes of an upstream task's None
    with pytest.raises(errors.InputError, match="drop_id resolved to None"):
        sensor.execute(context(sensor))
    assert {"rows", "drop_id", "summary"} <= set(sensor.template_fields)


def test_a_connection_that_is_not_there_for_the_triggerer_ends_as_one_that_is_not_there_for_the_worker(sandbox):
    fields = {"anycost_connection_id": STREAM, "month": "2026-04", "drop_ids": [], "row_counts": [], "or_more": False}
    options = {"cloudzero_conn_id": "nowhere", "poll_interval": 0.1, "deadline": time.time() + 60}
    event = first_event(AnyCostBillingDropTrigger(**options, **fields))
    assert (event["outcome"], event["error"]) == ("refused", "AirflowNotFoundException")
    arguments = {"month": "2026-04", "anycost_connection_id": STREAM, "cloudzero_conn_id": "nowhere"}
    sensor = AnyCostBillingDropSensor(task_id="wait", deferrable=True, **arguments)
    with pytest.raises(AirflowNotFoundException):
        sensor.resume_execution("execute_complete", {"event": event}, context(sensor))
    with pytest.raises(AirflowNotFoundException):
        wait_for(POKE, **arguments)


def test_a_count_of_zero_after_sending_rows_is_not_taken_for_an_empty_month(sandbox):
    summary = {**send(records=MONTH), "row_count": 0}
    sandbox.reset()
    with pytest.raises(AirflowSensorTimeout):
        wait_for(POKE, summary=summary, timeout=0.3)


def test_the_log_says_what_cloudzero_shows_and_what_is_waited_for(sandbox, caplog, capfd):
    caplog.set_level("INFO")
    with pytest.raises(AirflowSensorTimeout):
        wait_for(POKE, month="2026-03", rows=2, timeout=0.1)
    summary = send(records=MONTH)
    wait_for(POKE, summary=summary)
    logs = caplog.text + "".join(capfd.readouterr())
    shown = f"CloudZero shows: 2026-03 is not listed for AnyCost stream {STREAM}. Waiting for 2026-03 to be listed with 2 rows"
    assert shown in logs
    assert f"CloudZero shows: 2026-03 of AnyCost stream {STREAM} with 31 rows (drop {summary['drop_ids'][0]})" in logs
