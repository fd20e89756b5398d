from __future__ import annotations

import http.client
import json
import time

import pytest
import requests


def lost(cloudzero, *rows, **options):
    with pytest.raises(requests.ConnectionError):
        cloudzero.post(list(rows) or [cloudzero.row()], "sum", **options)
    cloudzero.wait_for(lambda: cloudzero.requests())
    return cloudzero.requests()[-1]


@pytest.mark.parametrize(
    ("retry_after", "header"),
    [
        (None, None),
        (3, "3"),
        (0.5, "0.5"),
        ("Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 21 Oct 2026 07:28:00 GMT"),
    ],
)
def test_refuse(cloudzero, retry_after, header):
    fault = {"kind": "refuse", "status": 503, "body": "slow down", "content_type": "text/html"}
    cloudzero.arm({**fault, "retry_after": retry_after} if retry_after else fault)
    reply = cloudzero.post([cloudzero.row()])
    assert (reply.status_code, reply.text, reply.headers["Content-Type"]) == (503, "slow down", "text/html")
    assert reply.headers.get("Retry-After") == header
    assert cloudzero.months() == {}
    record = cloudzero.requests()[-1]
    assert (record["fault"], record["applied"], record["status"]) == ("refuse", False, 503)
    assert cloudzero.post([cloudzero.row()]).status_code == 200


def test_refuse_with_json(cloudzero):
    cloudzero.arm({"kind": "refuse", "status": 500, "body": {"error": {"message": "m"}}})
    assert cloudzero.post([cloudzero.row()]).json() == {"error": {"message": "m"}}


def test_apply_then_lose_reply(cloudzero):
    cloudzero.arm({"kind": "apply_then_lose_reply"})
    record = lost(cloudzero)
    assert (record["applied"], record["status"], record["fault"]) == (True, None, "apply_then_lose_reply")
    assert cloudzero.costs() == ["1"]


def test_lose_request(cloudzero):
    cloudzero.arm({"kind": "lose_request"})
    record = lost(cloudzero)
    assert (record["applied"], record["status"], record["rows"]) == (False, None, 1)
    assert cloudzero.costs() is None


def test_lose_reply_then_apply_to_what_is_stored_by_then(cloudzero):
    cloudzero.arm({"kind": "lose_reply_then_apply", "seconds": 0.4})
    cloudzero.set(concurrent_scope="writes")
    record = lost(cloudzero, cloudzero.row("1"))
    assert (record["ended"], record["applied"]) == (None, False)
    assert cloudzero.costs() is None
    assert cloudzero.post([cloudzero.row("2")]).status_code == 409, "the lost request still counts as running"
    cloudzero.wait_for(lambda: cloudzero.requests()[0]["applied"])
    record = cloudzero.requests()[0]
    assert record["applied_at"] - record["started"] >= 0.4
    assert (record["status"], cloudzero.costs()) == (None, ["1"])


def test_a_delayed_request_is_not_applied_after_a_reset(cloudzero):
    cloudzero.arm({"kind": "lose_reply_then_apply", "seconds": 0.3})
    lost(cloudzero)
    cloudzero.own("POST", "reset")
    assert cloudzero.post([cloudzero.row("2")], "sum").status_code == 200
    time.sleep(0.4)
    assert (cloudzero.costs(), len(cloudzero.requests())) == (["2"], 2)


def test_slow(cloudzero):
    cloudzero.arm({"kind": "slow", "seconds": 3})
    with pytest.raises(requests.ReadTimeout):
        cloudzero.post([cloudzero.row()], "sum", timeout=0.5)
    assert cloudzero.months()["2024-08"]["rows"] == 1
    assert cloudzero.post([cloudzero.row()], "sum").status_code == 409
    cloudzero.wait_for(lambda: cloudzero.requests()[0]["ended"])
    cloudzero.arm({"kind": "slow", "seconds": 0.2})
    began = time.monotonic()
    assert cloudzero.post([cloudzero.row()], "sum").status_code == 200
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_cut_reply(cloudzero, method):
    cloudzero.post([cloudzero.row("1")])
    cloudzero.arm({"kind": "cut_reply", "method": method})
    connection = http.client.HTTPConnection(cloudzero.url.removeprefix("http://"), timeout=5)
    body = json.dumps({"month": "2024-08", "operation": "sum", "data": [cloudzero.row("2")]})
    path = cloudzero.drops_url().removeprefix(cloudzero.url) + ("" if method == "POST" else "/2024-08")
    headers = {"Authorization": cloudzero.KEY, "Content-Type": "application/json"}
    connection.request(method, path, body if method == "POST" else None, headers)
    reply = connection.getresponse()
    with pytest.raises(http.client.IncompleteRead) as cut:
        reply.read()
    connection.close()
    assert len(cut.value.partial) == int(reply.headers["Content-Length"]) // 2
    assert cloudzero.costs() == (["1", "2"] if method == "POST" else ["1"])
    record = cloudzero.requests()[1]
    assert (record["status"], record["applied"]) == (None, method == "POST")


def test_faults_armed_together_fire_by_their_skips(cloudzero):
    refuse = {"kind": "refuse", "status": 500}
    cloudzero.arm(refuse, {**refuse, "status": 502, "skip": 2}, {**refuse, "status": 504, "skip": 3, "times": 2})
    assert [cloudzero.post([cloudzero.row()]).status_code for _ in range(6)] == [500, 200, 502, 504, 504, 200]
    assert cloudzero.own("GET", "faults").json() == {"faults": []}


@pytest.mark.parametrize(
    ("match", "fires"),
    [
        ({"operation": "sum"}, True),
        ({"operation": "replace_drop"}, False),
        ({"month": "2024-08"}, True),
        ({"month": "2024-09"}, False),
        ({"path_contains": "anycost"}, True),
        ({"path_contains": "telemetry"}, False),
        ({"method": "GET"}, False),
        ({"connection_id": "second-stream"}, False),
        ({}, True),
        ({"operation": "sum", "month": "2024-09"}, False),
    ],
)
def test_a_fault_fires_only_on_matching_requests(cloudzero, match, fires):
    cloudzero.arm({"kind": "refuse", "status": 500, **match})
    assert cloudzero.post([cloudzero.row()], "sum").status_code == (500 if fires else 200)
    assert len(cloudzero.own("GET", "faults").json()["faults"]) == (0 if fires else 1)


def test_requests_that_do_not_match_do_not_count(cloudzero):
    cloudzero.arm({"kind": "refuse", "status": 500, "skip": 1, "operation": "sum"})
    operations = ["replace_drop", "sum", "replace_drop", "sum"]
    assert [cloudzero.post([cloudzero.row()], operation).status_code for operation in operations] == [
        200,
        200,
        200,
        500,
    ]


def test_faults_can_be_cleared(cloudzero):
    cloudzero.arm({"kind": "lose_request", "times": 5})
    assert cloudzero.own("GET", "faults").json()["faults"][0]["times"] == 5
    cloudzero.own("DELETE", "faults")
    assert cloudzero.post([cloudzero.row()]).status_code == 200


@pytest.mark.parametrize(
    "fault",
    [
        None,
        [],
        {},
        {"kind": "explode"},
        {"kind": []},
        {"kind": "refuse"},
        {"kind": "refuse", "status": 200},
        {"kind": "refuse", "status": "503"},
        {"kind": "slow"},
        {"kind": "slow", "seconds": -1},
        {"kind": "slow", "seconds": "1"},
        {"kind": "slow", "seconds": 1, "status": 500},
        {"kind": "lose_request", "skip": -1},
        {"kind": "lose_request", "times": 0},
        {"kind": "lose_request", "times": True},
        {"kind": "lose_request", "method": "PUT"},
        {"kind": "lose_request", "operation": "append"},
        {"kind": "lose_request", "when": 1},
        {"kind": "refuse", "status": 503, "retry_after": "a\r\nb: c"},
        {"kind": "refuse", "status": 503, "retry_after": []},
    ],
)
def test_an_invalid_fault_is_refused_and_none_is_armed(cloudzero, fault):
    reply = cloudzero.own("POST", "faults", json={"faults": [{"kind": "lose_request"}, fault]})
    assert reply.status_code == 400
    assert "fault 1: " in reply.json()["error"]["message"]
    assert cloudzero.own("GET", "faults").json() == {"faults": []}
