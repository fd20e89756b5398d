"""No key is told again, whatever stands around it or in between."""

from __future__ import annotations

import json
import socket
from urllib.parse import unquote

import pytest

KEY = "sandbox-test-key-1234"

PATH = "/v2/connections/billing/anycost/1234abcd-1234-abcd-1234-abcd1234efgh/billing_drops"


def raw(url, *lines):
    """What is answered to a request as these lines have it, whatever they have."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"\r\n".join((*lines, b"Host: 127.0.0.1", b"Connection: close", b"", b"")))
        reply = b""
        while piece := connection.recv(65536):
            reply += piece
    return reply


def told(sandbox, cloudzero):
    """Everything that a person can see of what the sandbox was sent."""
    shown = [cloudzero.own("GET", path).text for path in ("requests", "state", "settings", "faults")]
    return "\n".join([*shown, cloudzero.session.get(f"{cloudzero.url}/").text, sandbox.errors.read_text()])


@pytest.mark.parametrize("mark", [b"\x01", b"\x0b", b"\x00", b"\x7f", b"\r", b"\n more", b"\x85", b"\xa0"])
@pytest.mark.parametrize("header", [b"Authorization: %s%s", b"Authorization: %s%s x", b"%s%s: x", b"X: %s%s", b"%s%s"])
def test_a_request_that_is_not_http(noisy, mark, header):
    sandbox, cloudzero = noisy
    reply = raw(cloudzero.url, b"GET %s HTTP/1.1" % PATH.encode(), header % (KEY.encode(), mark))
    assert KEY not in reply.decode("latin-1")
    assert KEY not in told(sandbox, cloudzero)
    assert cloudzero.session.get(f"{cloudzero.url}{PATH}").status_code == 200


def test_a_request_that_is_not_http_is_logged(start):
    sandbox, cloudzero = start()
    reply = raw(cloudzero.url, b"GET / HTTP/1.1", b"Authorization: %s\x01" % KEY.encode())
    assert reply.split()[1] == b"400"
    assert json.loads(reply.split(b"\r\n\r\n")[1]) == {"message": "Bad Request"}
    assert sandbox.errors.read_text() == "cloudzero sandbox: a request is not valid HTTP; replied 400\n"


def encoded(text, times=1):
    for _ in range(times):
        text = "".join(f"%{ord(letter):02X}" for letter in text)
    return text


FORMS = [
    KEY,
    f"x{KEY}x",
    encoded(KEY),
    encoded(KEY).lower(),
    encoded(KEY, 2),
    f"{KEY[:8]}{encoded(KEY[8:])}",
    f"{KEY[:4]}%20{KEY[4:]}",
    f"{KEY[:4]}%0a%09{KEY[4:]}",
    f"{KEY[:4]}%2520{KEY[4:]}",
    f"{KEY[:4]}+{KEY[4:]}",
    f"{KEY[:4]}%C2%A0{KEY[4:]}",
    f"{KEY[:4]}%e2%80%8b{KEY[4:]}",
    "%20".join(KEY),
]


def plain(text):
    """The text without what hides a key from a search and from nobody else."""
    for _ in range(4):
        text = unquote(text)
    return "".join(letter for letter in text if letter.isprintable() and letter not in " +\u00a0\u200b\\")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "path",
    ["/v2/{}", "/v2/connections/billing/{}", "/v2/connections/billing/anycost/{}/billing_drops/{}", "/sandbox/{}"]
    + ["/unit-cost/v1/telemetry/{}/records", "/unit-cost/v1/telemetry/metric/{}", "/v2/insights/{}?key={}"],
)
def test_a_key_in_the_path_or_query(cloudzero, shared_sandbox, form, path):
    reply = raw(
        cloudzero.url,
        f"GET {path.replace('{}', form)}?since={form}&limit={form} HTTP/1.1".encode(),
        f"Authorization: {KEY}".encode(),
    )
    assert KEY not in plain(reply.decode())
    assert KEY not in plain(told(shared_sandbox, cloudzero))


@pytest.mark.parametrize("gap", ["\t", " ", "  \t ", "\u00a0", "\u2003", "\u200b"])
def test_a_key_split_by_unusual_white_space(cloudzero, gap):
    split = f"{KEY[:7]}{gap}{KEY[7:]}"
    cloudzero.post([cloudzero.row()], headers={"User-Agent": split.encode()})
    reply = cloudzero.post_raw(
        json.dumps({"month": "2024-08", "data": [cloudzero.row(**{f"resource/tag:{split}": "x"})]})
    )
    assert reply.status_code == 400
    assert KEY[7:] not in reply.text + cloudzero.own("GET", "requests").text


def test_a_key_in_a_body_that_is_refused(cloudzero):
    columns = cloudzero.post_raw(json.dumps({KEY: 1, "data": [{f"{KEY}": 1}]}))
    fields = cloudzero.send([{KEY: 1}])
    cloudzero.set(unknown_dimensions=KEY)
    keys = cloudzero.send([cloudzero.metric(associated_cost={KEY: "x"})])
    assert [reply.status_code for reply in (columns, fields, keys)] == [400, 400, 400]
    assert not any(KEY in reply.text for reply in (columns, fields, keys))
    assert "***" in columns.text


def test_stored_data_is_not_redacted(cloudzero):
    cloudzero.post([cloudzero.row(**{"resource/id": KEY})])
    assert cloudzero.read().json()["billing_drop"][0]["resource/id"] == KEY


@pytest.mark.parametrize("path", [PATH, "/", "/sandbox/state"])
def test_a_key_in_an_unknown_expectation(noisy, path):
    sandbox, cloudzero = noisy
    reply = raw(cloudzero.url, b"GET %s HTTP/1.1" % path.encode(), b"Expect: %s" % KEY.encode())
    assert reply.startswith(b"HTTP/1.1 417")
    assert KEY not in reply.decode()
    assert KEY not in told(sandbox, cloudzero)


def test_expect_100_continue(cloudzero):
    host, port = cloudzero.url.removeprefix("http://").split(":")
    body = json.dumps({"data": [cloudzero.row("3")]}).encode()
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: {KEY}\r\nContent-Type: application/json\r\n"
        connection.sendall(f"{head}Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        connection.sendall(body)
        assert connection.recv(100).startswith(b"HTTP/1.1 200 ")
    assert cloudzero.costs() == ["3"]
