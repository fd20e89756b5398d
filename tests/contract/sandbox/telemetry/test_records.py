from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest


def refused(cloudzero, record, kind="metric", operation="sum"):
    """The error messages for a record that must be refused, and nothing stored."""
    before = cloudzero.telemetry()
    reply = cloudzero.send([record], operation, kind=kind)
    assert reply.status_code == 400, reply.text
    error = reply.json()["error"]
    assert (error["type"], error["message"]) == ("InvalidRecordsException", "multiple errors")
    assert cloudzero.telemetry() == before
    return [told["error_message"] for told in error["errors"]]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b"{}",
        b'{"records": null}',
        b'{"records": {}}',
        b'{"records": [{"timestamp": "2024-09-01", "value": 1}], "other": 1}',
        b'{"records": [{"timestamp": "2024-09-01", "value": NaN}]}',
        b'{"records": [{"timestamp": "2024-09-01", "value": Infinity}]}',
        b'{"records": [{"timestamp": "2024-09-01", "value": 1e99999999999999999999}]}',
        b"[" * 100_000,
    ],
)
def test_a_body_without_records_is_refused(cloudzero, body):
    reply = cloudzero.send_raw(body)
    assert reply.status_code == 400
    assert sorted(reply.json()["error"]) == ["message", "type"]
    assert cloudzero.telemetry() == {}


@pytest.mark.parametrize("record", [1, None, "x", [], True])
def test_a_record_is_an_object(cloudzero, record):
    assert refused(cloudzero, record) == ["record 0: must be a JSON object"]


def test_whether_a_request_without_records_is_accepted_is_a_setting(cloudzero):
    assert cloudzero.send([]).status_code == 400
    cloudzero.set(empty_records="accept")
    assert cloudzero.send([]).status_code == 200
    assert (cloudzero.telemetry(), cloudzero.requests()[-1]["rows"]) == ({}, 0)


@pytest.mark.parametrize(
    ("kind", "operation", "missing"),
    [
        ("metric", "sum", ["timestamp", "value"]),
        ("metric", "replace", ["timestamp", "value"]),
        ("metric", "delete", ["timestamp"]),
        ("allocation", "sum", ["timestamp", "granularity", "value", "element_name"]),
        ("allocation", "replace", ["timestamp", "granularity", "value", "element_name"]),
        ("allocation", "delete", ["timestamp", "granularity"]),
    ],
)
def test_required_fields(cloudzero, kind, operation, missing):
    told = refused(cloudzero, {}, kind, operation)
    assert told == [f"record 0, {name}: is required" for name in missing]


@pytest.mark.parametrize(
    ("kind", "operation", "field"),
    [
        ("metric", "sum", "element_name"),
        ("metric", "sum", "filter"),
        ("metric", "sum", "telemetry-stream"),
        ("allocation", "sum", "associated_cost"),
        ("metric", "delete", "element_name"),
    ],
)
def test_unknown_fields_are_a_setting(cloudzero, kind, operation, field):
    record = cloudzero.metric() if kind == "metric" else cloudzero.allocation()
    cloudzero.send([record], kind=kind)
    if operation == "delete":
        del record["value"]
    record[field] = "x"
    assert refused(cloudzero, record, kind, operation)[0].startswith(f"record 0, {field}: is not a field")
    for choice in ("ignore", "accept"):
        cloudzero.set(unknown_fields=choice)
        assert cloudzero.send([record], operation, kind=kind).ok
        newest = cloudzero.submitted().json()["records"][0]
        assert (field in newest) == (choice == "accept" and operation != "delete")


@pytest.mark.parametrize("kind", ["metric", "allocation"])
def test_a_delete_has_no_value_under_any_setting(cloudzero, kind):
    record = cloudzero.metric() if kind == "metric" else cloudzero.allocation()
    cloudzero.send([record], kind=kind)
    cloudzero.set(unknown_fields="accept")
    assert refused(cloudzero, record, kind, "delete") == ["record 0, value: is not a valid field of a delete"]


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (1, "1"),
        (0.1, "0.1"),
        ("40.0000", "40"),
        ("1e3", "1000"),
        (1e300, "1" + "0" * 300),
        ("0.000001", "0.000001"),
        ("123456789012345", "123456789012345"),
        ("1234567890123456", "1234567890123460"),
        ("1234567890123454", "1234567890123450"),
        ("1234567890123455", "1234567890123460"),
        ("1234567890123445", "1234567890123450"),
        ("0.1234567890123456789", "0.123456789012346"),
        ("999999999999999.9", "1000000000000000"),
    ],
)
def test_values_are_kept_with_15_digits(cloudzero, value, stored):
    assert cloudzero.send([cloudzero.metric(value)]).status_code == 200
    assert (cloudzero.values(), cloudzero.telemetry()["orders"]["total"]) == ([stored], stored)


def test_json_numbers_are_read_exactly(cloudzero):
    body = b'{"records": [{"timestamp": "2024-09-01", "value": 12345678901234.5}]}'
    for _ in range(2):
        assert cloudzero.send_raw(body).status_code == 200
    assert cloudzero.values() == ["24691357802469"]


@pytest.mark.parametrize("value", [0, 0.0, "0", "0.000", -1, "-1", -0.5, "-0"])
def test_values_are_greater_than_zero(cloudzero, value):
    assert refused(cloudzero, cloudzero.metric(value)) == ["record 0, value: must be greater than 0"]


@pytest.mark.parametrize(
    "value",
    [True, False, None, [], {}, "", "x", "1,000", " 1", "1 ", "+1", ".5", "1.", "NaN", "Infinity", "1_0", "0x1", "١"],
)
def test_values_are_numbers_or_numeric_strings(cloudzero, value):
    told = refused(cloudzero, cloudzero.metric(value))
    assert told == ["record 0, value: must be a number or a numeric string"]


@pytest.mark.parametrize("value", ["1e400", "1e-400", "1e99999999999999999999"])
def test_values_have_a_range(cloudzero, value):
    assert refused(cloudzero, cloudzero.metric(value)) == ["record 0, value: is out of range"]


@pytest.mark.parametrize(("form", "value"), [("number", "1"), ("string", 1), ("string", 1.5)])
def test_the_form_of_values_is_a_setting(cloudzero, form, value):
    cloudzero.set(value_form=form)
    assert "must be a num" in refused(cloudzero, cloudzero.metric(value))[0]
    other = float(value) if form == "number" else str(value)
    assert cloudzero.send([cloudzero.metric(other)]).status_code == 200


@pytest.mark.parametrize(
    "timestamp",
    [
        "2024-09-01",
        "2024-09-01T00:00:00",
        "2024-09-01T23:59:59Z",
        "2024-09-01T15:32:44+00:00",
        "2024-09-01 00:00:00+00:00",
        "2024-09-01 00:00:00",
        "2024-09-01T00:00:00.123456Z",
        "2024-09-02T01:30:00+02:00",
        "2024-08-31T23:30:00-01:00",
    ],
)
@pytest.mark.parametrize(("granularity", "period"), [("DAILY", "2024-09-01"), ("MONTHLY", "2024-09-01")])
def test_timestamps_are_truncated_to_the_period_in_utc(cloudzero, timestamp, granularity, period):
    assert cloudzero.send([cloudzero.metric(1, timestamp, granularity=granularity)]).status_code == 200
    stream = cloudzero.telemetry()["orders"]
    assert stream["first"] == stream["last"] == f"{period}T00:00:00Z"


def test_hours_are_kept_for_an_hourly_allocation(cloudzero):
    record = cloudzero.allocation(1, "2024-09-01T23:59:59-01:00", granularity="HOURLY")
    cloudzero.send([record], kind="allocation")
    assert cloudzero.telemetry()["orders"]["first"] == "2024-09-02T00:00:00Z"


@pytest.mark.parametrize(
    "timestamp",
    [
        "", "2024-09", "2024-9-1", "2024-02-30", "01.09.2024", "2024-09-01T24:00:01", "2024-09-01T00:00:60", "x",
        "2024-09-01t00:00:00Z", "2024-09-01T00:00:00 UTC", "2024-09-01  00:00:00", "2024-09-01Z", "2024-09-01T",
        "2024-367", "2024-W60-1", "1725148800", "2024-09-01T00:00:00Z\n", "٢٠٢٤0901",
        1725148800, None, True, ["2024-09-01"], "0001-01-01T00:00:00+01:00", "2024-09-01T00:00:00+24:00",
    ],
)  # fmt: skip
def test_other_formats_are_not_timestamps(cloudzero, timestamp):
    assert refused(cloudzero, cloudzero.metric(1, timestamp))[0].startswith("record 0, timestamp: ")


def test_timestamps_too_far_into_the_future(cloudzero):
    def at(**ahead):
        return (datetime.now(timezone.utc) + timedelta(**ahead)).isoformat(timespec="seconds")

    assert cloudzero.send([cloudzero.metric(1, at(hours=23))]).status_code == 200
    told = refused(cloudzero, cloudzero.metric(1, at(hours=25)))
    assert told == ["record 0, timestamp: is too far into the future"]
    cloudzero.set(future_days=30)
    assert cloudzero.send([cloudzero.metric(1, at(days=29))]).status_code == 200
    cloudzero.set(future_days=0)
    refused(cloudzero, cloudzero.metric(1, at(minutes=5)))


@pytest.mark.parametrize(
    ("kind", "granularity", "allowed"),
    [
        ("metric", "HOURLY", "DAILY, MONTHLY"),
        ("metric", "daily", "DAILY, MONTHLY"),
        ("metric", None, "DAILY, MONTHLY"),
        ("allocation", "WEEKLY", "HOURLY, DAILY, MONTHLY"),
        ("allocation", ["DAILY"], "HOURLY, DAILY, MONTHLY"),
    ],
)
def test_granularities(cloudzero, kind, granularity, allowed):
    record = cloudzero.metric() if kind == "metric" else cloudzero.allocation()
    record["granularity"] = granularity
    assert refused(cloudzero, record, kind) == [f"record 0, granularity: must be one of {allowed}"]


@pytest.mark.parametrize("first", ["HOURLY", "DAILY", "MONTHLY"])
@pytest.mark.parametrize("operation", ["sum", "replace", "delete"])
def test_the_first_request_fixes_the_granularity(cloudzero, first, operation):
    cloudzero.send([cloudzero.allocation(granularity=first)], kind="allocation")
    other = "DAILY" if first != "DAILY" else "HOURLY"
    record = cloudzero.allocation(granularity=other)
    if operation == "delete":
        del record["value"]
    assert f"the stream's is {first}" in refused(cloudzero, record, "allocation", operation)[0]
    assert cloudzero.telemetry()["orders"]["granularity"] == first


def test_a_metric_is_daily_by_default(cloudzero):
    cloudzero.send([cloudzero.metric(granularity="MONTHLY")])
    assert "the stream's is MONTHLY" in refused(cloudzero, cloudzero.metric())[0]
    cloudzero.send([cloudzero.metric()], name="other")
    assert cloudzero.telemetry()["other"]["granularity"] == "DAILY"
    assert cloudzero.send([cloudzero.metric(granularity="DAILY")], name="other").status_code == 200


def test_one_request_has_one_granularity(cloudzero):
    records = [cloudzero.metric(), cloudzero.metric(granularity="MONTHLY")]
    reply = cloudzero.send(records)
    assert reply.json()["error"]["errors"][0]["error_message"].startswith("record 1, granularity: all records")


@pytest.mark.parametrize("element", ["", None, 1, ["a"], "\ud800"])
def test_element_names_are_strings(cloudzero, element):
    record = cloudzero.allocation(element=element)
    assert refused(cloudzero, record, "allocation") == ["record 0, element_name: must be a string that is not blank"]


def test_the_type_of_a_stream_is_fixed(cloudzero):
    cloudzero.send([cloudzero.metric()])
    for operation in ("sum", "replace"):
        reply = cloudzero.send([cloudzero.allocation()], operation, kind="allocation")
        assert (reply.status_code, "type metric" in reply.text) == (400, True)
    assert (
        cloudzero.send([{"timestamp": "2024-09-01", "granularity": "DAILY"}], "delete", kind="allocation").status_code
        == 400
    )
    assert cloudzero.values() == ["1"]


@pytest.mark.parametrize("kind", ["metric", "allocation"])
def test_a_delete_requires_a_stream(cloudzero, kind):
    reply = cloudzero.send([{"timestamp": "2024-09-01", "granularity": "DAILY"}], "delete", kind=kind)
    assert (reply.status_code, "must exist" in reply.text) == (400, True)
    assert cloudzero.telemetry() == {}


def test_whether_a_replace_creates_an_allocation_is_a_setting(cloudzero):
    cloudzero.set(allocation_replace_creates="refuse")
    reply = cloudzero.send([cloudzero.allocation()], "replace", kind="allocation")
    assert (reply.status_code, "must exist in order to update" in reply.text) == (400, True)
    assert cloudzero.telemetry() == {}
    assert cloudzero.send([cloudzero.metric()], "replace", "metric").status_code == 200
    assert cloudzero.send([cloudzero.allocation()], "sum", kind="allocation").status_code == 200
    assert cloudzero.send([cloudzero.allocation()], "replace", kind="allocation").status_code == 200


def test_one_bad_record_refuses_the_whole_request(cloudzero):
    cloudzero.send([cloudzero.metric(5)])
    for operation in ("sum", "replace"):
        reply = cloudzero.send([cloudzero.metric(1), cloudzero.metric(0), cloudzero.metric(2, "x")], operation)
        told = [error["error_message"][:8] for error in reply.json()["error"]["errors"]]
        assert (reply.status_code, told) == (400, ["record 1", "record 2"])
    assert (cloudzero.values(), cloudzero.requests()[-1]["applied"]) == (["5"], False)


def test_storing_the_good_records_is_a_setting(cloudzero):
    cloudzero.set(batch_atomicity="stores_good_records")
    records = [cloudzero.metric(0), cloudzero.metric(1), cloudzero.metric(1, associated_cost={"a": "b"})]
    reply = cloudzero.send([*records, cloudzero.metric(3)])
    assert (reply.status_code, len(reply.json()["error"]["errors"])) == (400, 2)
    assert (cloudzero.values(), cloudzero.requests()[-1]["applied"]) == (["4"], True)
    assert cloudzero.send([cloudzero.metric(0)], name="none").status_code == 400
    assert list(cloudzero.telemetry()) == ["orders"]


def test_the_first_errors_are_listed_and_the_rest_counted(cloudzero):
    reply = cloudzero.send([cloudzero.metric(0) for _ in range(25)])
    told = [error["error_message"] for error in reply.json()["error"]["errors"]]
    assert (len(told), told[-1]) == (11, "and 15 more")


def padded(size):
    body = json.dumps({"records": [{"timestamp": "2024-09-01", "value": 1}]}).encode()
    return body + b" " * (size - len(body))


def in_chunks(body):
    yield from (body[start : start + 50_000] for start in range(0, len(body), 50_000))


@pytest.mark.parametrize("send", [bytes, in_chunks])
def test_the_body_limit_is_exact(cloudzero, send):
    reply = cloudzero.send_raw(send(padded(5_000_001)))
    assert (reply.status_code, list(reply.json())) == (413, ["message"])
    assert cloudzero.telemetry() == {}
    assert cloudzero.send_raw(send(padded(5_000_000))).status_code == 200


def test_the_body_limit_and_its_status_are_settings(cloudzero):
    cloudzero.set(telemetry_body_limit=100, telemetry_body_limit_status=400)
    reply = cloudzero.send_raw(padded(101))
    assert (reply.status_code, reply.json()["error"]["type"]) == (400, "InvalidBody")
    assert cloudzero.send_raw(padded(100)).status_code == 200
    assert cloudzero.post([cloudzero.row(), cloudzero.row()]).status_code == 200, "drops have a limit of their own"


def test_a_body_must_be_declared_as_json(cloudzero):
    assert cloudzero.send_raw(padded(100), headers={"Content-Type": "text/plain"}).status_code == 415
    assert cloudzero.send_raw(padded(100), headers={"Content-Encoding": "gzip"}).status_code == 415
