from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from contract.sandbox.conftest import KEY


@pytest.fixture
def held(cloudzero):
    """A request that runs until the test lets go: its headers have arrived, its body has not."""
    host, port = cloudzero.url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)))
    path = cloudzero.drops_url().removeprefix(cloudzero.url)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {cloudzero.KEY}\r\n"
        "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n"
    )
    connection.sendall(head.encode())
    cloudzero.wait_for(cloudzero.requests)
    yield connection
    connection.close()


def test_a_request_runs_from_its_headers_on_and_others_are_refused(cloudzero, held):
    refused = [
        cloudzero.post([cloudzero.row()]),
        cloudzero.read(),
        cloudzero.list_drops(),
    ]
    assert [reply.status_code for reply in refused] == [409, 409, 409]
    assert sorted(refused[0].json()["error"]) == ["message", "type"]
    assert cloudzero.months() == {}
    assert [request["overlapped"] for request in cloudzero.requests()] == [False, True, True, True]
    assert cloudzero.requests()[0]["ended"] is None
    held.sendall(b"{}")
    reply = held.recv(10_000)
    while not reply.endswith(b"}}"):
        reply += held.recv(10_000)
    assert reply.startswith(b"HTTP/1.1 400")
    assert cloudzero.post([cloudzero.row()]).status_code == 200


def test_other_streams_and_validation_are_not_refused(cloudzero, held):
    assert cloudzero.post([cloudzero.row()], stream=cloudzero.OTHER_STREAM).status_code == 200
    assert cloudzero.validate([cloudzero.row()]).status_code == 200


def test_a_request_whose_client_disconnects_no_longer_runs(cloudzero, held):
    held.close()
    cloudzero.wait_for(lambda: cloudzero.requests()[0]["ended"])
    assert cloudzero.requests()[0]["status"] is None
    assert cloudzero.post([cloudzero.row()]).status_code == 200


@pytest.mark.parametrize("status", [409, 423, 425, 429, 400, 503])
def test_the_status_is_a_setting(cloudzero, held, status):
    cloudzero.set(concurrent_status=status)
    assert cloudzero.post([cloudzero.row()]).status_code == status


def test_whether_reads_count_as_concurrent_is_a_setting(cloudzero, held):
    cloudzero.set(concurrent_scope="writes")
    assert cloudzero.list_drops().status_code == 200
    assert cloudzero.post([cloudzero.row()]).status_code == 409


def test_a_write_during_an_unfinished_read_is_refused(cloudzero):
    rows = [cloudzero.row(**{"resource/id": "x" * 900}) for _ in range(4_900)]
    for _ in range(4):
        assert cloudzero.post(rows, "sum").status_code == 200
    with cloudzero.session.get(f"{cloudzero.drops_url()}/2024-08", stream=True, timeout=10) as reading:
        time.sleep(0.4)
        assert cloudzero.post([cloudzero.row()], "sum").status_code == 409
        assert len(reading.content) == int(reading.headers["Content-Length"])
    assert cloudzero.post([cloudzero.row()], "sum").status_code == 200


@pytest.mark.parametrize("status", [200, 204])
def test_sequential_requests_are_never_refused(cloudzero, status):
    cloudzero.set(success_status=status)
    replies = [cloudzero.post([cloudzero.row()], "sum").status_code for _ in range(100)]
    assert set(replies) == {status}
    assert cloudzero.months()["2024-08"]["rows"] == 100


def test_exactly_the_accepted_drops_of_many_concurrent_ones_are_stored(cloudzero):
    with ThreadPoolExecutor(8) as pool:
        statuses = [
            reply.status_code for reply in pool.map(lambda _: cloudzero.post([cloudzero.row()], "sum"), range(40))
        ]
    assert set(statuses) <= {200, 409}
    assert cloudzero.months()["2024-08"]["rows"] == statuses.count(200)
    assert sum(request["applied"] for request in cloudzero.requests()) == statuses.count(200)


def lost(cloudzero, value=1, operation="sum", **options):
    with pytest.raises(requests.ConnectionError):
        cloudzero.send([cloudzero.metric(value)], operation, **options)
    cloudzero.wait_for(cloudzero.requests)
    return cloudzero.requests()[-1]


def test_overlapping_requests_are_logged_by_stream(cloudzero):
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


def test_a_telemetry_stream_named_like_a_connection_does_not_block_drops(cloudzero):
    cloudzero.arm({"kind": "lose_reply_then_apply", "seconds": 0.5})
    lost(cloudzero, name=cloudzero.STREAM)
    assert cloudzero.post([cloudzero.row()]).status_code == 200
    assert cloudzero.requests()[-1]["overlapped"] is False


@pytest.mark.parametrize("status", [409, 400, 423, 425, 429, 500, 503])
def test_a_concurrent_request_is_refused_with_the_status(cloudzero, status):
    cloudzero.set(concurrent_status=status)
    assert concurrent_reply(cloudzero).status_code == status
    assert cloudzero.costs() == ["1"]


def test_with_status_200_both_concurrent_requests_are_applied(cloudzero):
    cloudzero.set(concurrent_status=200)
    assert concurrent_reply(cloudzero).status_code == 200
    assert cloudzero.costs() == ["1", "2"]


def concurrent_reply(cloudzero):
    cloudzero.arm({"kind": "slow", "seconds": 0.5})
    first = threading.Thread(target=requests.post, args=(cloudzero.drops_url(),), kwargs=drop(cloudzero, "1"))
    first.start()
    cloudzero.wait_for(lambda: cloudzero.requests() and cloudzero.requests()[-1].get("applied"))
    reply = cloudzero.post([cloudzero.row("2")], "sum")
    first.join()
    return reply


def drop(cloudzero, cost):
    body = {"month": "2024-08", "operation": "sum", "data": [cloudzero.row(cost)]}
    return {"json": body, "headers": {"Authorization": KEY}, "timeout": 10}
