from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest


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


def test_a_request_runs_from_its_headers_on_and_keeps_others_out(cloudzero, held):
    refused = [
        cloudzero.post([cloudzero.row()]),
        cloudzero.read(),
        cloudzero.session.get(cloudzero.drops_url()),
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


def test_other_streams_and_the_dry_run_are_not_kept_out(cloudzero, held):
    assert cloudzero.post([cloudzero.row()], stream=cloudzero.OTHER_STREAM).status_code == 200
    assert cloudzero.validate([cloudzero.row()]).status_code == 200


def test_a_client_that_goes_away_runs_no_more(cloudzero, held):
    held.close()
    cloudzero.wait_for(lambda: cloudzero.requests()[0]["ended"])
    assert cloudzero.requests()[0]["status"] is None
    assert cloudzero.post([cloudzero.row()]).status_code == 200


@pytest.mark.parametrize("status", [409, 423, 425, 429, 400, 503])
def test_the_status_is_a_setting(cloudzero, held, status):
    cloudzero.set(concurrent_status=status)
    assert cloudzero.post([cloudzero.row()]).status_code == status


def test_reads_can_be_left_out_of_it(cloudzero, held):
    cloudzero.set(concurrent_scope="writes")
    assert cloudzero.session.get(cloudzero.drops_url()).status_code == 200
    assert cloudzero.post([cloudzero.row()]).status_code == 409


def test_a_read_that_is_not_finished_keeps_a_write_out(cloudzero):
    rows = [cloudzero.row(**{"resource/id": "x" * 900}) for _ in range(4_900)]
    for _ in range(4):
        assert cloudzero.post(rows, "sum").status_code == 200
    with cloudzero.session.get(f"{cloudzero.drops_url()}/2024-08", stream=True, timeout=10) as reading:
        time.sleep(0.4)
        assert cloudzero.post([cloudzero.row()], "sum").status_code == 409
        assert len(reading.content) == int(reading.headers["Content-Length"])
    assert cloudzero.post([cloudzero.row()], "sum").status_code == 200


@pytest.mark.parametrize("status", [200, 204])
def test_one_after_the_other_is_never_refused(cloudzero, status):
    cloudzero.set(success_status=status)
    replies = [cloudzero.post([cloudzero.row()], "sum").status_code for _ in range(100)]
    assert set(replies) == {status}
    assert cloudzero.months()["2024-08"]["rows"] == 100


def test_what_was_accepted_of_a_crowd_is_what_is_there(cloudzero):
    with ThreadPoolExecutor(8) as pool:
        statuses = [
            reply.status_code for reply in pool.map(lambda _: cloudzero.post([cloudzero.row()], "sum"), range(40))
        ]
    assert set(statuses) <= {200, 409}
    assert cloudzero.months()["2024-08"]["rows"] == statuses.count(200)
    assert sum(request["applied"] for request in cloudzero.requests()) == statuses.count(200)
