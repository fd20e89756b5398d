from __future__ import annotations

import json

import pytest


def test_the_documented_example_is_accepted_and_read_back(cloudzero):
    row = {
        "lineitem/type": "Usage",
        "time/usage_start": "2024-08-16T13:00:00Z",
        "resource/id": "instance-0000",
        "resource/service": "Compute",
        "cost/cost": "12",
    }
    reply = cloudzero.post([row])
    drop = reply.json()["connection"]
    assert (reply.status_code, sorted(drop), drop["row_count"]) == (200, ["drop_id", "month", "row_count"], 1)
    assert cloudzero.list_drops().json() == {"billing_drops": [drop]}
    assert cloudzero.read().json() == {"billing_drop": [row]}


ROWS = '[{"time/usage_start": "2024-08-16T13:00:00Z", "cost/cost": "1"}]'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"data"',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"data": NaN}',
        b'{"month": "2024-08"}',
        b'{"month": "2024-08", "data": null}',
        b'{"month": "2024-08", "data": {}}',
        b'{"month": "2024-08", "data": [1]}',
        f'{{"operation": "append", "data": {ROWS}}}'.encode(),
        f'{{"operation": null, "data": {ROWS}}}'.encode(),
        f'{{"operation": [], "data": {ROWS}}}'.encode(),
        b'{"data": []}',
        b'{"data": [{"time/usage_start": "2024-08-16T13:00:00Z", "cost/cost": "1", "a": "\\ud800"}]}',
        b'{"data": ' + b"9" * 10_000 + b"}",
    ],
)
def test_a_body_that_is_not_a_drop_is_refused_and_stores_nothing(cloudzero, body):
    reply = cloudzero.post_raw(body)
    assert reply.status_code == 400
    assert sorted(reply.json()["error"]) == ["message", "type"]
    assert cloudzero.months() == {}


@pytest.mark.parametrize(
    "month", ["2024-8", "2024-13", "0000-01", "2024", "2024-08-32", "08-2024", "", None, 202408, "2024-08 "]
)
def test_a_bad_month_is_refused(cloudzero, month):
    assert cloudzero.post([cloudzero.row()], month=month).status_code == 400
    assert cloudzero.months() == {}


@pytest.mark.parametrize(
    "month", ["2024-08", "2024-08-01T00:00:00Z", "2024-08-31T23:30:00-00:15", "2024-09-01T01:00:00.5+02:00"]
)
def test_a_month_may_be_short_or_a_datetime(cloudzero, month):
    assert cloudzero.post([cloudzero.row()], month=month).json()["connection"]["month"] == "2024-08-01T00:00:00Z"


def test_the_month_is_optional(cloudzero):
    reply = cloudzero.post_raw(json.dumps({"data": [cloudzero.row()]}))
    assert reply.status_code == 200
    assert cloudzero.costs("2024-08") == ["1"]


def test_without_a_month_all_rows_must_be_in_one_month(cloudzero):
    rows = [cloudzero.row(), cloudzero.row(hour="2024-09-01T00:00:00Z")]
    assert cloudzero.post_raw(json.dumps({"data": rows})).status_code == 400


def test_validation_returns_the_errors_and_stores_nothing(cloudzero):
    assert cloudzero.validate([cloudzero.row()]).json() == {"connection": {"is_valid": True, "errors": []}}
    bad = cloudzero.validate([cloudzero.row("x"), cloudzero.row()])
    assert (bad.status_code, bad.json()["connection"]["is_valid"]) == (200, False)
    assert [error.split(":")[0] for error in bad.json()["connection"]["errors"]] == ["row 0, cost/cost"]
    cloudzero.set(validate_reply="400")
    assert cloudzero.validate([cloudzero.row("x")]).json()["error"]["type"] == "InvalidDrop"
    assert cloudzero.months() == {}


@pytest.mark.parametrize(("spelling", "statuses"), [("year_month", [200, 400]), ("datetime", [400, 200])])
def test_month_format(cloudzero, spelling, statuses):
    cloudzero.set(month_format=spelling)
    months = ["2024-08", "2024-08-01T00:00:00Z"]
    assert [cloudzero.post([cloudzero.row()], month=month).status_code for month in months] == statuses
    assert [cloudzero.read(month).status_code for month in months] == statuses
