"""A client that stalls in the middle of its request, or of the reply, does not keep its stream busy for ever."""

from __future__ import annotations

import socket
import time

import pytest


def connect(cloudzero, path, length):
    """A connection on which the headers of a request have gone out, and nothing of its body."""
    host, port = cloudzero.url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=10)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {cloudzero.KEY}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )
    connection.sendall(head.encode())
    cloudzero.wait_for(lambda: any(request["ended"] is None for request in cloudzero.requests()))
    return connection


def everything(connection):
    found = b""
    try:
        while piece := connection.recv(65536):
            found += piece
    except ConnectionError:
        return found, "reset"
    return found, "end"


@pytest.fixture
def drops(cloudzero):
    return cloudzero.drops_url().removeprefix(cloudzero.url)


@pytest.mark.parametrize("sent", [b"", b'{"data":'])
def test_a_stalled_upload_times_out_and_frees_its_stream(cloudzero, drops, sent):
    cloudzero.set(client_timeout_seconds=0.4)
    with connect(cloudzero, drops, 1000) as stalled:
        stalled.sendall(sent)
        assert cloudzero.post([cloudzero.row("1")]).status_code == 409
        reply = stalled.recv(10_000)
        assert reply.startswith(b"HTTP/1.1 408 ")
        assert b"Connection: close" in reply
        assert cloudzero.post([cloudzero.row("2")]).status_code == 200
    assert cloudzero.costs() == ["2"]
    assert [request["status"] for request in cloudzero.requests()[:3]] == [408, 409, 200]


def test_a_slow_upload_times_out_too(cloudzero, drops):
    cloudzero.set(client_timeout_seconds=0.6)
    with connect(cloudzero, drops, 1000) as dripping:
        began = time.monotonic()
        while time.monotonic() - began < 0.9:
            dripping.sendall(b" ")
            time.sleep(0.1)
        assert cloudzero.post([cloudzero.row()]).status_code == 200


def test_a_stalled_telemetry_upload_times_out_too(cloudzero):
    cloudzero.set(client_timeout_seconds=0.3)
    with connect(cloudzero, "/unit-cost/v1/telemetry/metric/orders/sum", 1000) as stalled:
        assert stalled.recv(100).startswith(b"HTTP/1.1 408 ")
    assert cloudzero.telemetry() == {}


def test_the_timeout_is_a_minute_by_default_and_can_be_off(cloudzero, drops):
    assert cloudzero.own("GET", "settings").json()["settings"]["client_timeout_seconds"] == 60
    cloudzero.set(client_timeout_seconds=0)
    with connect(cloudzero, drops, 2) as slow:
        time.sleep(0.3)
        slow.sendall(b"{}")
        assert slow.recv(100).startswith(b"HTTP/1.1 400 ")


def test_a_reset_frees_the_stream_of_a_stalled_upload_and_forgets_it(cloudzero, drops):
    with connect(cloudzero, drops, 30) as stalled:
        stalled.sendall(b'{"data": [')
        assert cloudzero.own("POST", "reset").status_code == 200
        assert cloudzero.post([cloudzero.row("1")]).status_code == 200
        assert everything(stalled)[0] == b""
    assert cloudzero.costs() == ["1"]
    assert [(request["status"], request["overlapped"]) for request in cloudzero.requests()[:1]] == [(200, False)]


@pytest.fixture
def large_month(cloudzero):
    rows = [cloudzero.row(**{"resource/id": "x" * 900}) for _ in range(4_900)]
    for _ in range(3):
        assert cloudzero.post(rows, "sum").status_code == 200


@pytest.mark.parametrize("by", ["time", "reset"])
def test_an_unread_reply_is_cut_off_and_frees_its_stream(cloudzero, large_month, by):
    if by == "time":
        cloudzero.set(client_timeout_seconds=0.6)
    with cloudzero.session.get(f"{cloudzero.drops_url()}/2024-08", stream=True, timeout=10) as reading:
        assert cloudzero.post([cloudzero.row()], "sum").status_code == 409
        if by == "reset":
            cloudzero.own("POST", "reset")
        else:
            time.sleep(1)
        assert cloudzero.post([cloudzero.row()], "sum").status_code == 200
        with pytest.raises(OSError):
            assert reading.content
