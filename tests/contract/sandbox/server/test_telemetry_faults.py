from __future__ import annotations

import http.client
import json
import time

import pytest
import requests


def lost(cloudzero, value=1, operation="sum", **options):
    with pytest.raises(requests.ConnectionError):
        cloudzero.send([cloudzero.metric(value)], operation, **options)
    cloudzero.wait_for(cloudzero.requests)
    return cloudzero.requests()[-1]


@pytest.mark.parametrize(("status", "retry_after"), [(429, 3), (503, None), (500, None)])
def test_refuse(cloudzero, status, retry_after):
    cloudzero.arm({"kind": "refuse", "status": status, **({"retry_after": retry_after} if retry_after else {})})
    reply = cloudzero.send([cloudzero.metric()])
    assert (reply.status_code, reply.headers.get("Retry-After")) == (status, retry_after and str(retry_after))
    assert (cloudzero.telemetry(), cloudzero.requests()[-1]["fault"]) == ({}, "refuse")
    assert cloudzero.send([cloudzero.metric()]).status_code == 200


def test_apply_then_lose_reply(cloudzero):
    cloudzero.arm({"kind": "apply_then_lose_reply"})
    record = lost(cloudzero)
    assert (record["applied"], record["status"], cloudzero.values()) == (True, None, ["1"])


def test_lose_request(cloudzero):
    cloudzero.arm({"kind": "lose_request"})
    record = lost(cloudzero)
    assert (record["applied"], record["rows"], cloudzero.telemetry()) == (False, 1, {})


@pytest.mark.parametrize(("operation", "value"), [("sum", "12"), ("replace", "2")])
def test_lose_reply_then_apply_to_what_is_stored_by_then(cloudzero, operation, value):
    cloudzero.arm({"kind": "lose_reply_then_apply", "seconds": 0.4})
    record = lost(cloudzero, 2, operation)
    assert (record["ended"], record["applied"], cloudzero.telemetry()) == (None, False, {})
    assert cloudzero.send([cloudzero.metric(10)]).status_code == 200
    assert cloudzero.requests()[-1]["overlapped"] is True
    cloudzero.wait_for(lambda: cloudzero.requests()[0]["applied"])
    assert cloudzero.values() == [value]


def test_a_delayed_request_is_not_applied_after_a_reset(cloudzero):
    cloudzero.arm({"kind": "lose_reply_then_apply", "seconds": 0.3})
    lost(cloudzero)
    cloudzero.own("POST", "reset")
    time.sleep(0.4)
    assert (cloudzero.telemetry(), cloudzero.requests()) == ({}, [])


def test_slow(cloudzero):
    cloudzero.arm({"kind": "slow", "seconds": 5})
    with pytest.raises(requests.ReadTimeout):
        cloudzero.send([cloudzero.metric()], timeout=0.5)
    assert cloudzero.values() == ["1"]
    assert cloudzero.send([cloudzero.metric()]).status_code == 200
    assert cloudzero.requests()[-1]["overlapped"] is True


@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
def test_cut_reply(cloudzero, method):
    cloudzero.set(telemetry_success_body="json")
    cloudzero.send([cloudzero.metric()])
    cloudzero.arm({"kind": "cut_reply", "method": method})
    connection = http.client.HTTPConnection(cloudzero.url.removeprefix("http://"), timeout=5)
    path, body = {
        "POST": ("metric/orders/sum", {"records": [cloudzero.metric()]}),
        "GET": ("metric/orders", None),
        "DELETE": ("orders", {"force": True}),
    }[method]
    headers = {"Authorization": cloudzero.KEY, "Content-Type": "application/json"}
    url = cloudzero.telemetry_url(path).removeprefix(cloudzero.url)
    connection.request(method, url, body and json.dumps(body), headers)
    with pytest.raises(http.client.IncompleteRead):
        connection.getresponse().read()
    connection.close()
    assert cloudzero.requests()[1]["applied"] is (method != "GET")


@pytest.mark.parametrize(
    ("match", "fires"),
    [
        ({"operation": "sum"}, True),
        ({"operation": "replace"}, False),
        ({"operation": "delete"}, False),
        ({"operation": "replace_drop"}, False),
        ({"stream": "orders"}, True),
        ({"stream": "other"}, False),
        ({"stream": "orders", "operation": "sum"}, True),
        ({"path_contains": "telemetry"}, True),
        ({"connection_id": "orders"}, False),
        ({"month": "2024-09"}, False),
        ({"method": "GET"}, False),
        ({}, True),
    ],
)
def test_a_fault_fires_only_on_matching_requests(cloudzero, match, fires):
    cloudzero.arm({"kind": "refuse", "status": 500, **match})
    assert cloudzero.send([cloudzero.metric()]).status_code == (500 if fires else 200)
    assert len(cloudzero.own("GET", "faults").json()["faults"]) == (0 if fires else 1)


def test_a_fault_for_a_telemetry_stream_does_not_match_a_connection(cloudzero):
    cloudzero.arm({"kind": "refuse", "status": 500, "stream": cloudzero.STREAM})
    assert cloudzero.post([cloudzero.row()]).status_code == 200


def test_reads_and_deletes_have_faults_too(cloudzero):
    cloudzero.send([cloudzero.metric()])
    refuse = {"kind": "refuse", "status": 503}
    cloudzero.arm({**refuse, "method": "GET"}, {**refuse, "method": "DELETE"}, {**refuse, "operation": "delete"})
    assert cloudzero.processed().status_code == 503
    assert cloudzero.session.delete(cloudzero.telemetry_url("orders"), json={"force": True}).status_code == 503
    assert cloudzero.send([{"timestamp": "2024-09-01"}], "delete").status_code == 503
    assert cloudzero.values() == ["1"]
