from __future__ import annotations

import gzip
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
    assert cloudzero.session.get(cloudzero.drops_url()).json() == {"billing_drops": [drop]}
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
def test_a_body_that_is_no_drop_is_refused_and_stores_nothing(cloudzero, body):
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


def test_the_month_may_be_left_out(cloudzero):
    reply = cloudzero.post_raw(json.dumps({"data": [cloudzero.row()]}))
    assert reply.status_code == 200
    assert cloudzero.costs("2024-08") == ["1"]


def test_without_a_month_the_rows_still_have_to_be_of_one(cloudzero):
    rows = [cloudzero.row(), cloudzero.row(hour="2024-09-01T00:00:00Z")]
    assert cloudzero.post_raw(json.dumps({"data": rows})).status_code == 400


def _padded(body, size):
    return body + b" " * (size - len(body))


def _in_chunks(body):
    yield from (body[start : start + 50_000] for start in range(0, len(body), 50_000))


@pytest.mark.parametrize("send", [bytes, _in_chunks])
def test_the_body_limit_is_exact_with_and_without_a_length(cloudzero, send):
    body = f'{{"month": "2024-08", "data": {ROWS}}}'.encode()
    refused = cloudzero.post_raw(send(_padded(body, 5_000_001)))
    assert (refused.status_code, list(refused.json())) == (413, ["message"])
    assert cloudzero.months() == {}
    assert cloudzero.post_raw(send(_padded(body, 5_000_000))).status_code == 200


def test_gzip_is_refused_until_it_is_accepted(cloudzero):
    body = f'{{"month": "2024-08", "data": {ROWS}}}'.encode()
    packed, headers = gzip.compress(body), {"Content-Encoding": "gzip"}
    assert cloudzero.post_raw(packed, headers).status_code == 415
    assert cloudzero.months() == {}
    cloudzero.set(gzip="accept")
    assert cloudzero.post_raw(gzip.compress(_padded(body, 5_000_001)), headers).status_code == 413
    assert cloudzero.post_raw(packed[:-5], headers).status_code == 400
    assert cloudzero.post_raw(body, headers).status_code == 400
    assert cloudzero.months() == {}
    assert cloudzero.post_raw(packed, headers).status_code == 200


def test_a_body_has_to_be_declared_as_json(cloudzero):
    body = f'{{"month": "2024-08", "data": {ROWS}}}'
    assert cloudzero.post_raw(body, {"Content-Type": "text/plain"}).status_code == 415
    cloudzero.set(content_type="accept")
    assert cloudzero.post_raw(body, {"Content-Type": "text/plain"}).status_code == 200


def test_the_dry_run_tells_the_errors_and_stores_nothing(cloudzero):
    assert cloudzero.validate([cloudzero.row()]).json() == {"connection": {"is_valid": True, "errors": []}}
    bad = cloudzero.validate([cloudzero.row("x"), cloudzero.row()])
    assert (bad.status_code, bad.json()["connection"]["is_valid"]) == (200, False)
    assert [error.split(":")[0] for error in bad.json()["connection"]["errors"]] == ["row 0, cost/cost"]
    cloudzero.set(validate_reply="400")
    assert cloudzero.validate([cloudzero.row("x")]).json()["error"]["type"] == "InvalidDrop"
    assert cloudzero.months() == {}


def test_a_test_key_is_refused_so_that_nothing_is_silently_live(cloudzero):
    reply = cloudzero.post([cloudzero.row()], headers={"cloudzero-test-key": "x"})
    assert reply.status_code == 400
    assert "sandbox does not implement" in reply.json()["error"]["message"]
    assert cloudzero.months() == {}
