"""Sending telemetry, without Airflow: what CloudZero then holds, the summary, and what an error says."""

from __future__ import annotations

import hashlib
import json
import time

import pytest
from support import telemetry_readings
from support.claims import Claimed
from support.clients import SETTLE, client_of, paths
from support.raw_server import answer, raw_server, read_all
from support.state_stores import Store
from support.telemetry_readings import several_key_sets
from support.telemetry_records import allocation

from cloudzero_provider import exceptions as errors, sources
from cloudzero_provider.client.telemetry import StreamType, TelemetryOperation
from cloudzero_provider.journal import SumJournal
from cloudzero_provider.months import Month
from cloudzero_provider.telemetry.batches import BatchLimits
from cloudzero_provider.telemetry.checks import OnZero, RecordRules, check_records
from cloudzero_provider.telemetry.claim import RecordsWrite
from cloudzero_provider.telemetry.identity import record_hash
from cloudzero_provider.telemetry.record_kinds import KINDS
from cloudzero_provider.telemetry.send import TelemetryOptions, send_records

NAME = "orders"
REPLACE, SUM, DELETE = TelemetryOperation.REPLACE, TelemetryOperation.SUM, TelemetryOperation.DELETE


@pytest.fixture(params=telemetry_readings.ALL)
def sandbox(sandbox, request):
    with telemetry_readings.read_as(sandbox, request.param):
        yield sandbox


def record(day, value=1, element="a", **others):
    return allocation(day, element, value, **others)


SIX = [record(day, day + 0.5) for day in range(1, 7)]


def checked(records, operation=REPLACE, kind=StreamType.ALLOCATION, granularity="DAILY", **rules):
    return check_records(sources.from_records(records), RecordRules(KINDS[kind], operation, granularity, **rules))


def send(server, records=SIX, *, client=None, per_batch=3_000, rules=None, **options):
    options = TelemetryOptions(limits=BatchLimits(max_batch_records=per_batch), **options)
    return send_records(client or client_of(server.url), NAME, checked(records, **(rules or {})), options)


def held(sandbox):
    return {int(found["timestamp"][8:10]): float(found["value"]) for found in sandbox.records(NAME)}


def in_json(*records):
    texts = [
        f'{{"timestamp":"{one["timestamp"]}T00:00:00Z","value":{one["value"]},"granularity":"DAILY",'
        f'"element_name":"{one["element_name"]}","filter":{{}}}}'
        for one in records
    ]
    return f'{{"records":[{",".join(texts)}]}}'.encode()


# The summary


def test_the_summary_of_several_requests_is_of_all_of_them(sandbox):
    summary = send(sandbox, per_batch=4, rules={"month": Month(2026, 3)})
    bodies = [in_json(*SIX[:4]), in_json(*SIX[4:])]
    day = "2026-03-0{}T00:00:00Z".format
    assert str(summary) == f"{NAME}, 2026-03: 6 records, total 24"
    assert summary.as_dict() == {
        "stream_name": NAME,
        "stream_type": "allocation",
        "operation": "replace",
        "granularity": "DAILY",
        "month": "2026-03",
        "records": 6,
        "requests": 2,
        "bytes": sum(map(len, bodies)),
        "total": "24",
        "first": day(1),
        "last": day(6),
        "key_sets": 1,
        "duplicates_summed": 0,
        "zeros_deleted": 0,
        "zeros_skipped": 0,
        "values_rounded": 0,
        "sha256": hashlib.sha256(b"".join(bodies)).hexdigest(),
        "record_hashes": [record_hash(day(n), "a", None, f"{n}.5") for n in range(1, 7)],
        "check_only": False,
    }
    assert held(sandbox) == {n: n + 0.5 for n in range(1, 7)}


def test_the_log_shows_the_progress(sandbox, caplog):
    caplog.set_level("INFO", "cloudzero_provider.telemetry")
    send(sandbox, per_batch=4)
    sizes = [len(in_json(*SIX[:4])), len(in_json(*SIX[4:]))]
    day = "2026-03-0{}T00:00:00Z".format
    assert caplog.messages == [
        f"orders: 6 records, total 24, in 2 requests, for {sandbox.url}",
        f"orders: sent request 1 of 2: 4 records, {sizes[0]} bytes; 4 so far (replace, {day(1)} to {day(4)})",
        f"orders: sent request 2 of 2: 2 records, {sizes[1]} bytes; 6 so far (replace, {day(5)} to {day(6)})",
    ]


@several_key_sets
def test_zeros_that_are_deleted_count_for_the_periods_and_key_sets_and_not_as_records(sandbox):
    records = [record(3, 2, filter={"b": ["x"]}), record(9, 0, filter={"a": ["x"]}), record(1, 0, filter={"b": ["y"]})]
    send(sandbox, [record(day, 1, filter=one["filter"]) for day, one in zip((3, 9, 1), records, strict=True)])
    summary = send(sandbox, records, rules={"on_zero": OnZero.DELETE})
    shown = (summary.records, summary.zeros_deleted, summary.zeros_skipped, summary.key_sets, summary.month)
    assert shown == (1, 2, 0, 2, None)
    assert (summary.first, summary.last) == ("2026-03-01T00:00:00Z", "2026-03-09T00:00:00Z")
    assert held(sandbox) == {3: 2}


def test_with_nothing_but_skipped_zeros_there_is_nothing_to_tell(sandbox):
    summary = send(sandbox, [record(3, 0)], rules={"on_zero": OnZero.SKIP})
    assert (summary.first, summary.last, summary.records, summary.requests, summary.bytes) == ("", "", 0, 0, 0)
    assert (summary.zeros_skipped, summary.total, summary.key_sets) == (1, "0", 0)
    assert paths(sandbox) == []


def test_check_only_sends_nothing_and_returns_what_would_be_sent(sandbox):
    summary = send(sandbox, check_only=True, settle_from=time.monotonic() + 60)
    assert paths(sandbox) == []
    sent = send(sandbox)
    assert (summary.check_only, sent.check_only, summary.sha256) == (True, False, sent.sha256)
    assert str(sent) == f"{NAME}: 6 records, total 24"
    assert str(summary) == f"{NAME}: 6 records, total 24, only checked"


def test_an_earlier_try_settles_before_anything_is_sent(sandbox):
    began = time.monotonic()
    send(sandbox, client=client_of(sandbox.url, settle_seconds=60))
    assert time.monotonic() - began < 30
    send(sandbox, settle_from=time.monotonic())
    assert time.monotonic() - began >= SETTLE


# Clearing periods


def test_periods_are_cleared_before_they_are_written(sandbox):
    send(sandbox)
    send(sandbox, [record(2, 7, "b"), record(3, 8, "b")], clear_periods=True)
    assert paths(sandbox)[-2:] == [f"POST {word}" for word in ("delete", "replace")]
    assert held(sandbox) == {1: 1.5, 2: 7, 3: 8, 4: 4.5, 5: 5.5, 6: 6.5}


def test_periods_of_a_stream_that_there_is_not_yet_need_no_clearing(sandbox):
    send(sandbox, SIX[:2], clear_periods=True)
    assert paths(sandbox)[-2:] == ["POST delete", "POST replace"]
    assert held(sandbox) == {1: 1.5, 2: 2.5}


@pytest.mark.parametrize("operation", [SUM, DELETE])
def test_only_a_replace_clears_periods(sandbox, operation):
    with pytest.raises(errors.ConfigurationError) as error:
        send(sandbox, rules={"operation": operation}, clear_periods=True)
    assert str(error.value) == "clear_periods=True deletes before it writes, so it needs operation='replace'."
    assert paths(sandbox) == []


# What CloudZero refuses


def refusing(kind, message, details=None, status=400):
    """A server that refuses everything with an error of CloudZero's."""
    error = {"type": kind, "message": message, **({"event_details": details} if details is not None else {})}

    def behave(connection, head):
        read_all(connection, head)
        connection.sendall(answer(status, json.dumps({"error": error}).encode()))

    return raw_server(behave)


def refusal(kind, message, details=None, records=SIX, status=400, **options):
    with refusing(kind, message, details, status) as url, pytest.raises(errors.RequestRejectedError) as error:
        send(None, records, client=client_of(url), **options)
    words = error.value.message
    assert message.rstrip(".") in words
    return words


def test_a_stream_with_another_key_set_shows_both_sets_and_the_ways_out():
    words = refusal(
        "UnregisteredKeySetException",
        "Keys are not registered.",
        {"registered_keys": [["costcontext:Team"]]},
        [record(1, filter={"custom:Team": ["x"], "custom:Env": ["y"]})],
    )
    assert words.endswith(
        ' The stream accepts one set of filter keys, fixed by its first records: [["custom:Team"]]. Yours: 1 record with '
        '["custom:Env", "custom:Team"]. Send each set to its own stream, or delete the stream '
        "(CloudZeroHook.client.delete_stream) and wait until its name is free again."
    )


def test_a_metric_s_keys_are_called_by_their_own_name():
    rules = {"kind": StreamType.METRIC}
    one = {"timestamp": "2026-03-01", "value": 1, "associated_cost": {"custom:Team": "x"}}
    words = refusal("UnregisteredKeySetException", "Keys are not registered.", records=[one], rules=rules)
    assert "The stream accepts one set of associated_cost keys, fixed by its first records: null. Yours: 1 rec" in words


def test_the_error_of_an_unknown_dimension_says_to_create_it():
    assert refusal("InvalidKeysException", "custom:Taem").endswith(
        " Create the dimension in CloudZero first; names are case-sensitive, like 'custom:Team'."
    )


def test_the_error_of_a_missing_stream_says_how_to_create_it():
    assert refusal(None, "The stream Must Exist before.").endswith(
        " CloudZero did not create the stream on a 'replace': send the first records once with operation='sum', or create "
        "the stream under Settings > Telemetry Streams."
    )


@pytest.mark.parametrize(("status", "message"), [(413, "No."), (400, "Too Many records."), (400, "over the limit")])
def test_the_error_of_a_request_that_is_too_large_says_how_to_reduce_it(status, message):
    words = refusal(None, message, status=status)
    assert words.endswith(" Make requests smaller: max_body_bytes is 4,500,000, max_batch_records is 3,000.")


def test_other_errors_keep_cloudzeros_text():
    assert refusal("Other", "what it is").startswith("HTTP 400: Other: what it is (POST /")


def test_only_a_deletion_that_makes_way_may_find_no_stream():
    words = refusal(None, "The stream Must Exist.", rules={"operation": DELETE})
    assert words.endswith(" No stream has this name, so there is nothing to delete.")
    assert "must exist" in refusal(None, "The stream must exist.", clear_periods=True)


def test_another_refusal_of_a_deletion_does_not_say_that_there_is_no_stream():
    assert refusal("Other", "what it is", rules={"operation": DELETE}).endswith("delete).")


def test_where_the_first_request_fails_none_is_said_to_stand():
    with refusing("Other", "no") as url, pytest.raises(errors.RequestRejectedError) as error:
        send(None, client=client_of(url), per_batch=2)
    assert error.value.recovery.startswith("It was request 1 of 3: ")
    assert "). Once the cause is fixed" in error.value.recovery


@pytest.mark.parametrize("status", [403, 429])
def test_errors_that_do_not_refuse_the_records_are_not_explained(sandbox, status):
    sandbox.faults({"kind": "refuse", "status": status, "body": '{"message": "it must exist"}'})
    with pytest.raises(errors.CloudZeroError) as error:
        send(sandbox, client=client_of(sandbox.url, max_retry_seconds=0))
    assert "Settings" not in str(error.value)


# What stands


def failure(sandbox, fault, **options):
    sandbox.faults({"times": 20, **fault})
    try:
        with pytest.raises(errors.CloudZeroError) as error:
            send(sandbox, client=client_of(sandbox.url, max_retry_seconds=0), per_batch=2, **options)
    finally:
        sandbox.clear_faults()
    return error.value


@pytest.mark.parametrize(
    ("fault", "operation", "recovery"),
    [
        (
            {"kind": "refuse", "status": 429, "skip": 1},
            REPLACE,
            (
                ". The request before it was applied. This one was not applied. Running the task again sends everything again and "
                "corrects it."
            ),
        ),
        (
            {"kind": "refuse", "status": 500, "skip": 1},
            REPLACE,
            ". The request before it was applied. Running the task again sends everything again and corrects it.",
        ),
        (
            {"kind": "refuse", "status": 400, "skip": 1},
            REPLACE,
            (
                ". The request before it was applied. Once the cause is fixed, running the task again sends everything again and "
                "corrects it."
            ),
        ),
        (
            {"kind": "refuse", "status": 500, "skip": 1},
            SUM,
            ". The request before it was applied. Sending again could count records twice. " + errors.CHECK_THEN_CLEAR,
        ),
    ],
    ids=["throttled", "unclear", "refused", "of a sum"],
)
def test_the_error_names_the_request_and_the_recovery(sandbox, fault, operation, recovery):
    error = failure(sandbox, fault, rules={"operation": operation})
    sha256 = hashlib.sha256(operation.value.encode() + in_json(*SIX[2:4])).hexdigest()
    assert error.recovery == (
        f"It was request 2 of 3: {operation.value} of 2 records, 2026-03-03T00:00:00Z to 2026-03-04T00:00:00Z (SHA-256 "
        f"{sha256[:12]}){recovery}"
    )
    assert set(held(sandbox)) == {1, 2}


# A sum


def journal(store, *, is_retry):
    return SumJournal(store, "target", is_retry=is_retry, max_tries=3)


def test_a_retry_of_a_sum_leaves_out_what_was_acknowledged(sandbox):
    store, rules = Store(), {"operation": SUM}
    failure(sandbox, {"kind": "refuse", "status": 429, "skip": 2}, rules=rules, journal=journal(store, is_retry=False))
    assert set(held(sandbox)) == {1, 2, 3, 4}
    send(sandbox, per_batch=2, rules=rules, journal=journal(store, is_retry=True))
    assert held(sandbox) == {n: n + 0.5 for n in range(1, 7)}
    with pytest.raises(errors.AmbiguousWriteError, match="sent 3 requests, and this attempt has different rows"):
        send(sandbox, SIX[:4], per_batch=2, rules=rules, journal=journal(store, is_retry=True))
    assert held(sandbox) == {n: n + 0.5 for n in range(1, 7)}


def test_what_is_sent_is_claimed(sandbox):
    claims = Claimed()
    send(sandbox, claims=claims, clear_periods=True)
    [write] = claims.writes
    assert write == RecordsWrite.of(client_of(sandbox.url), NAME, checked(SIX), clear_periods=True)
    assert claims.withdrawn == 0


def test_what_is_only_checked_is_not_claimed(sandbox):
    claims = Claimed()
    send(sandbox, claims=claims, check_only=True)
    assert not claims.writes


def test_a_zero_that_is_skipped_is_not_cleared_with_its_period(sandbox):
    records = [*SIX, record(7, 0)]
    with pytest.raises(errors.InputError) as error:
        send(sandbox, records, rules={"on_zero": OnZero.SKIP}, clear_periods=True)
    assert str(error.value) == (
        "on_zero='skip' keeps what CloudZero holds of 1 record with a value of zero, but clear_periods=True would "
        "delete it. Use on_zero='delete', or remove these records. Nothing was sent."
    )
    assert not sandbox.posts()


@pytest.mark.parametrize(
    ("status", "skip", "withdrawn", "words"),
    [
        (429, 0, 1, "(SHA-256"),
        (429, 1, 0, "The request before it was applied."),
        (429, 2, 0, "The 2 requests before it were applied."),
        (400, 0, 0, "(SHA-256"),
    ],
)
def test_a_claim_is_withdrawn_when_nothing_was_written(sandbox, status, skip, withdrawn, words):
    claims = Claimed()
    sandbox.faults({"kind": "refuse", "status": status, "skip": skip, "times": 20})
    client = client_of(sandbox.url, max_retry_seconds=0)
    with pytest.raises(errors.CloudZeroError) as error:
        send(sandbox, client=client, claims=claims, per_batch=1)
    assert (claims.withdrawn, error.value.nothing_written) == (withdrawn, bool(withdrawn))
    assert words in str(error.value)
