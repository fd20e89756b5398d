"""The sensor for telemetry streams against the sandbox, waiting in a worker and in a trigger."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from dataclasses import asdict

import pytest
import requests
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSensorTimeout, AirflowSkipException
from support.raw_server import raw_server
from support.sandbox_server import KEY, SandboxServer
from support.tasks import connect, context, send_telemetry
from support.telemetry_records import allocation as record
from support.waiting import DEFERRABLE, POKE, Waited, wait

from cloudzero_provider import exceptions as errors
from cloudzero_provider.hooks.cloudzero import CloudZeroHook
from cloudzero_provider.sensors.telemetry import CloudZeroStreamStatusSensor
from cloudzero_provider.status import WantedBatch
from cloudzero_provider.triggers.telemetry import CloudZeroStreamStatusTrigger

NAME = "orders-per-team"
RIPE = 1.0

modes = pytest.mark.parametrize("mode", [POKE, DEFERRABLE])


@pytest.fixture(autouse=True)
def _ripens_soon(sandbox):
    before = sandbox.current_settings()
    sandbox.settings(processed_after_seconds=RIPE, submitted_after_seconds=0)
    yield
    sandbox.settings(**before)


def send(records, **arguments):
    return send_telemetry(records=records, **arguments)


def wait_for(mode, waited=None, **arguments):
    return wait(CloudZeroStreamStatusSensor, mode, waited, **arguments)


def ripe():
    time.sleep(RIPE + 0.3)


@modes
def test_it_waits_until_the_batch_is_processed(sandbox, mode):
    summary = send([record(1), record(2, "Chat", 2.5)])
    began = time.monotonic()
    found = wait_for(mode, summary=summary).result
    assert time.monotonic() - began > RIPE - 0.5
    assert found == {
        "stream_name": NAME,
        "status": "Available",
        "looked_for": 2,
        "submitted": 0,
        "processed": 2,
    }


@modes
@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param([record(1, value=5)], [record(2, value=5)], id="another day"),
        pytest.param([record(1, value=5)], [record(1, value=6)], id="the same record, another value"),
        pytest.param(
            [record(d) for d in range(1, 30)], [record(d) for d in range(1, 31)], id="one day more than before"
        ),
        pytest.param([record(1), record(2, value=5)], [record(1), record(2, value=6)], id="one of two corrected"),
    ],
)
def test_old_data_of_the_stream_does_not_satisfy_it(sandbox, mode, old, new):
    send(old)
    ripe()
    summary = send(new)
    before = wait_for(POKE, Waited(), summary=summary, status="Loading").result
    assert (before["status"], before["processed"] < len(new)) == ("Loading", True)
    began = time.monotonic()
    found = wait_for(mode, summary=summary).result
    assert time.monotonic() - began > RIPE - 0.7
    assert (found["status"], found["processed"]) == ("Available", len(new))


@modes
def test_a_batch_that_is_there_already_does_not_wait(sandbox, mode):
    summary = send([record(1)])
    ripe()
    waited = wait_for(mode, summary=summary, poke_interval=60)
    assert waited.result["status"] == "Available"
    assert waited.triggers == []


@modes
@pytest.mark.parametrize(
    ("stream", "records"),
    [
        (
            {"stream_type": "metric", "granularity": None},
            [{"timestamp": "2026-03-01T13:00:00+02:00", "value": 0.1 + 0.2}],
        ),
        (
            {"stream_type": "metric", "granularity": "MONTHLY"},
            [{"timestamp": "2026-03-09", "value": "1234567.89012345", "associated_cost": {"custom:Team": "Ö"}}],
        ),
        (
            {"granularity": "HOURLY"},
            [
                record(value=1e-7, filter={"custom:B": ["z", "a"], "accounts": ["1"]}),
                record(2, value="100000000000000"),
            ],
        ),
    ],
)
def test_every_kind_of_record_is_recognised(sandbox, mode, stream, records):
    if "filter" in records[0]:
        records[1]["filter"] = {"custom:B": ["y"], "accounts": ["2"]}
    summary = send(records, **stream)
    assert wait_for(mode, summary=summary).result["processed"] == len(records)


@modes
@pytest.mark.parametrize(
    "shape", [{"records_timestamp": "z"}, {"records_wrapper": "list"}, {"records_wrapper": "data"}]
)
def test_records_in_any_shape(sandbox, mode, shape):
    sandbox.settings(**shape)
    summary = send([record(1)])
    assert wait_for(mode, summary=summary).result["processed"] == 1


def test_a_batch_of_more_than_can_be_read_needs_one_record_of_it(sandbox):
    summary = send([record(1 + n % 31, f"e{n}") for n in range(2500)])
    assert len(summary["record_hashes"]) == 500
    found = wait_for(POKE, summary=summary).result
    assert (found["status"], found["looked_for"]) == ("Available", 500)
    assert 1 <= found["processed"] < 500


@modes
def test_any_record_is_enough_where_that_is_asked_for(sandbox, mode):
    sandbox.settings(processed_after_seconds=600)
    summary = send([record(1, value=1), record(2, value=2)])
    send([record(1, value=7)])
    # Both show at once: in between, what the first one sent would be seen, and rightly.
    time.sleep(RIPE)
    sandbox.settings(processed_after_seconds=RIPE)
    with pytest.raises(AirflowSensorTimeout):
        wait_for(mode, summary=summary, timeout=RIPE + 1)
    assert wait_for(mode, summary=summary, match="any").result["processed"] == 1


@modes
def test_loading_is_a_status_too(sandbox, mode):
    sandbox.settings(submitted_after_seconds=1, processed_after_seconds=30)
    summary = send([record(1)])
    waited = wait_for(mode, summary=summary, status="Loading")
    assert waited.result == {
        "stream_name": NAME,
        "status": "Loading",
        "looked_for": 1,
        "submitted": 1,
        "processed": 0,
    }


@modes
def test_identities_by_hand(sandbox, mode):
    send([record(1, value=5), record(2, value=6)])
    without_values = [record(1, value=None), record(2, value=None)]
    assert wait_for(mode, stream_name=NAME, records=without_values).result["processed"] == 2
    assert wait_for(mode, stream_name=NAME, records=[record(2, value="6.0")]).result["processed"] == 1
    with pytest.raises(AirflowSensorTimeout):
        wait_for(mode, stream_name=NAME, records=[record(2, value=7)], timeout=0.5)


@modes
def test_a_stream_that_is_not_there_yet_is_waited_for(sandbox, mode):
    def send_by_hand():
        # Airflow 2.11 runs no operator in a thread.
        url = f"{sandbox.url}/unit-cost/v1/telemetry/allocation/{NAME}/replace"
        body = {"records": [{**record(1), "granularity": "DAILY"}]}
        assert requests.post(url, json=body, headers={"Authorization": KEY}, timeout=30).ok

    threading.Timer(1, send_by_hand).start()
    assert wait_for(mode, stream_name=NAME, records=[record(1)]).result["status"] == "Available"


@modes
@pytest.mark.parametrize(
    "fault", [{"kind": "refuse", "status": 503}, {"kind": "refuse", "status": 429}, {"kind": "lose_request"}]
)
def test_an_outage_is_waited_out(sandbox, mode, fault):
    summary = send([record(1)])
    sandbox.faults({"method": "GET", "times": 3, **fault})
    assert wait_for(mode, summary=summary).result["status"] == "Available"
    assert sandbox.armed() == []


@modes
@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_ends_the_wait_at_once(sandbox, mode, status):
    summary = send([record(1)])
    sandbox.faults({"kind": "refuse", "status": status, "method": "GET", "times": 100})
    with pytest.raises(errors.AuthenticationError, match="read_telemetry") as error:
        wait_for(mode, summary=summary)
    assert isinstance(error.value, AirflowFailException)
    with pytest.raises(AirflowSkipException):
        wait_for(mode, summary=summary, soft_fail=True)


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_refused_while_the_trigger_waits_ends_the_wait(sandbox, status):
    sandbox.settings(processed_after_seconds=600)
    summary = send([record(1)])
    sandbox.faults({"kind": "refuse", "status": status, "method": "GET", "skip": 4, "times": 100})
    waited = Waited()
    with pytest.raises(errors.AuthenticationError, match="read_telemetry"):
        wait_for(DEFERRABLE, waited, summary=summary)
    (event,) = waited.events
    assert event.pop("at").startswith("20")
    assert event.pop("deadline") == waited.triggers[0][1]["deadline"]
    assert event == {"outcome": "refused", "error": f"AuthenticationError, HTTP {status}"}
    sandbox.clear_faults()
    sandbox.faults({"kind": "refuse", "status": status, "method": "GET", "skip": 4, "times": 100})
    with pytest.raises(AirflowSkipException):
        wait_for(DEFERRABLE, summary=summary, soft_fail=True)


def test_a_refusal_that_is_gone_when_the_worker_looks_does_not_end_the_wait(sandbox):
    sandbox.settings(processed_after_seconds=3)
    summary = send([record(1)])
    sandbox.faults({"kind": "refuse", "status": 403, "method": "GET", "skip": 2, "times": 1})
    waited = wait_for(DEFERRABLE, summary=summary)
    assert waited.result["status"] == "Available"
    assert [event["outcome"] for event in waited.events] == ["refused", "done"]
    deadlines = [arguments["deadline"] for _, arguments in waited.triggers]
    assert deadlines[0] == deadlines[1]


def test_a_trigger_that_is_refused_where_the_worker_is_not_ends_at_the_deadline(sandbox, monkeypatch):
    """As when the triggerer has another connection of that name than the worker."""
    sandbox.settings(processed_after_seconds=60)
    summary = send([record(1)])
    tries = iter([KEY] + ["wrong-key-123456", KEY] * 50)

    class Elsewhere(CloudZeroHook):
        def make_client(self, **overrides):
            connect(monkeypatch, sandbox, key=next(tries))
            vars(self).pop("_fields", None)
            return super().make_client(**overrides)

    monkeypatch.setattr("cloudzero_provider.sensors._base.CloudZeroHook", Elsewhere)
    monkeypatch.setattr("cloudzero_provider.triggers._base.CloudZeroHook", Elsewhere)
    waited = Waited()
    with pytest.raises(AirflowSensorTimeout, match="The trigger, but not the worker, failed"):
        wait_for(DEFERRABLE, waited, summary=summary, timeout=3, poke_interval=1)
    assert 2 <= len(waited.events) <= 4


def test_a_slow_connection_keeps_no_trigger_of_another_waiting(sandbox, monkeypatch):
    summary = send([record(1)])
    ripe()

    def never(connection, head):
        time.sleep(5)

    with raw_server(never) as url:
        extra = {"timeout": 4}
        fields = {"conn_type": "cloudzero", "host": url, "password": KEY, "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_SLOW", json.dumps(fields))
        fields = WantedBatch(NAME, "DAILY", tuple(summary["record_hashes"]))
        options = {**asdict(fields), "poll_interval": 0.1, "deadline": time.time() + 60}

        async def first(conn_id):
            trigger = CloudZeroStreamStatusTrigger(cloudzero_conn_id=conn_id, **options)
            return [event.payload["outcome"] async for event in trigger.run()]

        async def run():
            slow = [asyncio.create_task(first("slow")) for _ in range(30)]
            await asyncio.sleep(0.5)
            began = time.monotonic()
            outcome = await first("cloudzero_default")
            took = time.monotonic() - began
            for task in slow:
                task.cancel()
            return outcome, took

        outcome, took = asyncio.run(run())
    assert outcome == ["done"]
    assert took < 3


@modes
def test_a_timeout_ends_the_wait_and_soft_fail_makes_it_a_skip(sandbox, mode):
    sandbox.settings(processed_after_seconds=60)
    summary = send([record(1)])
    began = time.monotonic()
    with pytest.raises(AirflowSensorTimeout):
        wait_for(mode, summary=summary, timeout=1)
    assert 0.9 < time.monotonic() - began < 10
    with pytest.raises(AirflowSkipException):
        wait_for(mode, summary=summary, timeout=1, soft_fail=True)


def test_a_timeout_in_the_trigger_reports_the_last_state(sandbox):
    sandbox.settings(processed_after_seconds=60)
    summary = send([record(1)])
    with pytest.raises(AirflowSensorTimeout, match="Loading"):
        wait_for(DEFERRABLE, summary=summary, timeout=1)


@modes
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"summary": None}, "summary is None"),
        ({"summary": "text"}, "summary is a str"),
        ({"summary": [{}, {}]}, r"\.expand\(summary="),
        ({"stream_name": NAME}, "neither summary nor records is set"),
        ({"records": [record(1)]}, "stream_name"),
        ({"stream_name": NAME, "records": []}, "0 records"),
        ({"stream_name": NAME, "records": [record(1)] * 501}, "501 records"),
        ({"stream_name": NAME, "records": [{"timestamp": "March", "value": 1}]}, "'March'"),
        ({"stream_name": NAME, "records": [record(1), {"element": "x", "value": 1}]}, "not a field of allocation"),
        ({"stream_name": NAME, "records": [record(1), record(2, value=None)]}, "1 of 2 records .* all or none"),
        ({"stream_name": NAME, "records": [None]}, "row 1"),
        ({"stream_name": NAME, "records": 5}, "int"),
        ({"stream_name": NAME, "records": [record(1)], "granularity": "WEEKLY"}, "WEEKLY"),
        ({"stream_name": NAME, "records": [record(1)], "status": "available"}, "expected one of Pending, Loading"),
        ({"stream_name": NAME, "records": [record(1)], "match": "some"}, "expected one of all, any"),
    ],
)
def test_what_can_t_be_waited_for_is_an_error_at_once(sandbox, mode, arguments, message):
    with pytest.raises(errors.CloudZeroError, match=message) as error:
        wait_for(mode, **arguments)
    assert isinstance(error.value, AirflowFailException)
    assert sandbox.requests() == []


@modes
def test_a_batch_that_sent_nothing_skips_the_wait(sandbox, mode):
    summary = send([record(1)], check_only=True)
    with pytest.raises(AirflowSkipException, match="check_only"):
        wait_for(mode, summary=summary)
    send([record(1)])
    zeros = send([record(1, value=0)], on_zero="delete")
    with pytest.raises(AirflowSkipException, match="All values of the batch were zero"):
        wait_for(mode, summary=zeros)
    deleted = send([record(1)], operation="delete")
    with pytest.raises(errors.ConfigurationError, match="A delete can't be waited for"):
        wait_for(mode, summary=deleted)


def test_the_trigger_s_arguments_and_events_hold_ids_states_and_times(sandbox):
    summary = send([record(1)])
    waited = wait_for(DEFERRABLE, summary=summary, timeout=60)
    ((path, arguments),) = waited.triggers
    assert path == "cloudzero_provider.triggers.telemetry.CloudZeroStreamStatusTrigger"
    assert 0 < arguments.pop("deadline") - time.time() < 60
    assert arguments == {
        "cloudzero_conn_id": "cloudzero_default",
        "poll_interval": 0.2,
        "stream_name": NAME,
        "granularity": "DAILY",
        "record_hashes": summary["record_hashes"],
        "status": "Available",
        "match": "all",
    }
    (event,) = waited.events
    assert event.pop("at").startswith("20")
    assert event == {"outcome": "done", "reading": waited.result}
    print(waited)


def test_a_large_batch_makes_no_large_arguments(sandbox):
    sandbox.settings(processed_after_seconds=60)
    summary = send([record(1 + n % 31, f"element {n}") for n in range(2500)])
    waited = Waited()
    with pytest.raises(AirflowSensorTimeout):
        wait_for(DEFERRABLE, waited, summary=summary, timeout=0.5)
    assert len(str(waited.triggers)) < 9_000
    assert len(str(waited.events)) < 300


@pytest.mark.parametrize(
    "event", [None, "done", {}, {"outcome": "great"}, {"outcome": "done"}, {"outcome": "done", "reading": 3}]
)
def test_an_event_that_the_trigger_can_t_have_made_is_an_error(sandbox, event):
    sensor = CloudZeroStreamStatusSensor(task_id="wait", summary=send([record(1)]), deferrable=True)
    with pytest.raises(errors.UnexpectedReplyError):
        sensor.resume_execution("execute_complete", {"event": event}, context(sensor))


def test_the_key_is_in_no_argument_event_or_log(sandbox, caplog, capfd):
    caplog.set_level("DEBUG")
    summary = send([record(1)])
    sandbox.faults({"kind": "refuse", "status": 403, "method": "GET", "skip": 2, "times": 1})
    waited = wait_for(DEFERRABLE, summary=summary)
    assert KEY not in str(waited)
    logs = caplog.text + "".join(capfd.readouterr())
    assert "CloudZero shows: " in logs
    assert "GET /unit-cost" in logs
    assert KEY not in logs


def test_the_reading_key_needs_only_its_scope(server: SandboxServer, sandbox, monkeypatch):
    summary = send([record(1)])
    assert requests.get(f"{server.url}/sandbox/state", timeout=10).ok
    connect(monkeypatch, server, key="wrong-key-123456")
    with pytest.raises(errors.AuthenticationError):
        wait_for(POKE, summary=summary)


# What replies may say of a stream's status, though none is documented to


@modes
@pytest.mark.parametrize("words", ["word", "lower_case"])
def test_an_invalid_stream_ends_the_wait_if_a_reply_says_so(sandbox, mode, words):
    sandbox.settings(records_status=words, invalid_streams=NAME)
    summary = send([record(1)])
    with pytest.raises(errors.StreamInvalidError, match="missing or broken") as error:
        wait_for(mode, summary=summary)
    assert isinstance(error.value, AirflowFailException)
    with pytest.raises(AirflowSkipException):
        wait_for(mode, summary=summary, soft_fail=True)
    assert wait_for(mode, summary=summary, status="Invalid").result["status"] == "Invalid"


def test_a_stream_that_becomes_invalid_while_the_trigger_waits_ends_the_wait(sandbox):
    sandbox.settings(records_status="word", processed_after_seconds=30)
    summary = send([record(1)])
    threading.Timer(1, lambda: sandbox.settings(invalid_streams=NAME)).start()
    waited = Waited()
    with pytest.raises(errors.StreamInvalidError):
        wait_for(DEFERRABLE, waited, summary=summary)
    assert [event["error"] for event in waited.events] == ["StreamInvalidError"]


@modes
def test_a_stream_that_replies_call_available_waits_for_the_batch_all_the_same(sandbox, mode):
    sandbox.settings(records_status="word")
    send([record(1, value=5)])
    ripe()
    summary = send([record(1, value=6)])
    with pytest.raises(AirflowSensorTimeout):
        wait_for(mode, summary=summary, timeout=0.2)
    assert wait_for(mode, summary=summary).result["status"] == "Available"


def test_the_log_says_what_cloudzero_shows_and_what_is_waited_for(sandbox, caplog, capfd):
    caplog.set_level("INFO")
    sandbox.settings(processed_after_seconds=60)
    summary = send([record(1), record(2)])
    with pytest.raises(AirflowSensorTimeout):
        wait_for(POKE, summary=summary, timeout=0.1)
    logs = caplog.text + "".join(capfd.readouterr())
    stream = summary["stream_name"]
    assert f"CloudZero shows: {stream} is " in logs
    assert " processed of 2 records looked for. Waiting for status Available" in logs
