from __future__ import annotations

import http.client
import json
import socket
import time
from email.utils import parsedate_to_datetime

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
def test_lose_reply_then_apply_on_top_of_what_is_there_by_then(cloudzero, operation, value):
    cloudzero.arm({"kind": "lose_reply_then_apply", "seconds": 0.4})
    record = lost(cloudzero, 2, operation)
    assert (record["ended"], record["applied"], cloudzero.telemetry()) == (None, False, {})
    assert cloudzero.send([cloudzero.metric(10)]).status_code == 200
    assert cloudzero.requests()[-1]["overlapped"] is True
    cloudzero.wait_for(lambda: cloudzero.requests()[0]["applied"])
    assert cloudzero.values() == [value]


def test_a_reset_ends_what_waits_to_be_applied(cloudzero):
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
def test_a_fault_fires_on_what_it_matches_only(cloudzero, match, fires):
    cloudzero.arm({"kind": "refuse", "status": 500, **match})
    assert cloudzero.send([cloudzero.metric()]).status_code == (500 if fires else 200)
    assert len(cloudzero.own("GET", "faults").json()["faults"]) == (0 if fires else 1)


def test_a_stream_of_telemetry_is_none_of_anycost(cloudzero):
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


def test_the_log_tells_what_was_sent(cloudzero):
    cloudzero.send([cloudzero.metric(1), cloudzero.metric(2, "2024-09-02")], "replace")
    cloudzero.send([cloudzero.metric(0)])
    cloudzero.submitted()
    good, bad, read = cloudzero.requests()
    assert (good["method"], good["path"]) == ("POST", "/unit-cost/v1/telemetry/metric/orders/replace")
    assert (good["stream"], good["connection_id"], good["month"]) == ("orders", None, None)
    assert (good["operation"], good["rows"], good["status"], good["applied"]) == ("replace", 2, 200, True)
    assert good["started"] <= good["applied_at"] <= good["ended"]
    assert good["bytes"] > 50
    assert (bad["operation"], bad["rows"], bad["status"], bad["applied"]) == ("sum", 1, 400, False)
    assert (read["stream"], read["operation"], read["rows"], read["status"]) == ("orders", None, None, 200)
    assert not any(request["overlapped"] for request in (good, bad, read))


def test_overlapping_is_noted_by_stream(cloudzero):
    host, port = cloudzero.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as held:
        head = (
            f"POST /unit-cost/v1/telemetry/metric/orders/sum HTTP/1.1\r\nHost: x\r\nAuthorization: {cloudzero.KEY}\r\n"
        )
        held.sendall(f"{head}Content-Type: application/json\r\nContent-Length: 2\r\n\r\n".encode())
        cloudzero.wait_for(cloudzero.requests)
        assert cloudzero.send([cloudzero.metric()]).status_code == 200
        assert cloudzero.send([cloudzero.metric()], name="other").status_code == 200
        assert cloudzero.send([cloudzero.metric()], name=cloudzero.STREAM).status_code == 200
        assert cloudzero.post([cloudzero.row()]).status_code == 200
        cloudzero.submitted()
    assert [request["overlapped"] for request in cloudzero.requests()] == [False, True, False, False, False, True]


def test_a_telemetry_stream_named_like_a_connection_keeps_no_drop_out(cloudzero):
    cloudzero.arm({"kind": "lose_reply_then_apply", "seconds": 0.5})
    lost(cloudzero, name=cloudzero.STREAM)
    assert cloudzero.post([cloudzero.row()]).status_code == 200
    assert cloudzero.requests()[-1]["overlapped"] is False


class TestThrottling:
    def test_it_is_off_by_default(self, cloudzero):
        for _ in range(5):
            assert cloudzero.send([cloudzero.metric()] * 2000).status_code == 200

    @pytest.mark.parametrize("status", [429, 503])
    def test_records_beyond_the_burst_have_to_wait(self, cloudzero, status):
        cloudzero.set(telemetry_rate=10, telemetry_burst=20, telemetry_throttle_status=status)
        assert cloudzero.send([cloudzero.metric()] * 20).status_code == 200
        reply = cloudzero.send([cloudzero.metric()] * 15)
        assert (reply.status_code, list(reply.json()), reply.headers["Retry-After"]) == (status, ["message"], "2")
        assert (cloudzero.values(), cloudzero.requests()[-1]["applied"]) == (["20"], False)
        cloudzero.wait_for(lambda: cloudzero.send([cloudzero.metric()] * 5).status_code == 200)
        assert cloudzero.values() == ["25"]

    def test_a_request_larger_than_the_burst_fits_once_the_bucket_is_full(self, cloudzero):
        cloudzero.set(telemetry_rate=10, telemetry_burst=5)
        assert cloudzero.send([cloudzero.metric()] * 50).status_code == 200
        assert cloudzero.send([cloudzero.metric()]).headers["Retry-After"] == "5"

    def test_how_to_come_back_is_a_setting(self, cloudzero):
        cloudzero.set(telemetry_rate=1, telemetry_burst=10, telemetry_retry_after="none")
        cloudzero.send([cloudzero.metric()] * 10)
        assert "Retry-After" not in cloudzero.send([cloudzero.metric()] * 10).headers
        cloudzero.set(telemetry_retry_after="http_date")
        at = parsedate_to_datetime(cloudzero.send([cloudzero.metric()] * 10).headers["Retry-After"]).timestamp()
        assert 9 <= at - time.time() <= 11

    def test_what_is_throttled_takes_nothing_out_and_a_reset_fills_it(self, cloudzero):
        cloudzero.set(telemetry_rate=0.001, telemetry_burst=10)
        for records, status in ((8, 200), (5, 429), (2, 200), (1, 429)):
            assert cloudzero.send([cloudzero.metric()] * records).status_code == status
        cloudzero.own("POST", "reset")
        assert cloudzero.send([cloudzero.metric()] * 10).status_code == 200

    def test_reads_and_drops_are_not_throttled(self, cloudzero):
        cloudzero.set(telemetry_rate=0.001, telemetry_burst=1)
        cloudzero.send([cloudzero.metric()])
        assert cloudzero.submitted().status_code == 200
        assert cloudzero.post([cloudzero.row()]).status_code == 200
