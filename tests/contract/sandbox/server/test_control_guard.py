"""The page and ``/sandbox`` need no key, so they are for this machine, and not for web pages of other origins."""

from __future__ import annotations

import socket

import pytest
import requests

ASKED = [("GET", "/"), ("GET", "/sandbox/state"), ("POST", "/sandbox/reset"), ("DELETE", "/sandbox/settings")]

ASKED += [("HEAD", "/"), ("OPTIONS", "/sandbox/reset"), ("GET", "/favicon.ico"), ("POST", "/sandbox/no-such-page")]


def status(cloudzero, method, path, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.request(method, cloudzero.url + path, headers=named, timeout=10).status_code


@pytest.mark.parametrize(("method", "path"), ASKED)
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "http://127.0.0.1"},
        {"Host": "evil.example"},
        {"Host": "evil.example:8900", "Origin": "http://evil.example:8900"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "localhost.evil.example:80"},
        {"Host": "127.0.0.1@evil.example"},
        {"Host": "192.168.1.7:8900"},
        {"Host": "0.0.0.0:8900"},
        {"Host": ""},
        {"Host": "[::1"},
    ],
)
def test_another_origin_or_host_is_refused_without_effect(cloudzero, method, path, headers):
    cloudzero.post([cloudzero.row()])
    cloudzero.set(gzip="accept")
    assert status(cloudzero, method, path, **headers) == 403
    assert cloudzero.costs() == ["1"]
    assert cloudzero.own("GET", "settings").json()["settings"]["gzip"] == "accept"


@pytest.mark.parametrize("path", ["faults", "settings", "reset"])
def test_a_form_of_another_page_changes_nothing(cloudzero, path):
    """A browser sends a form without asking first, and says where it comes from."""
    cloudzero.post([cloudzero.row()])
    reply = cloudzero.own(
        "POST", path, data='{"gzip": "accept"}', headers={"Content-Type": "text/plain", "Origin": "https://a.example"}
    )
    assert (reply.status_code, "another origin" in reply.json()["error"]["message"]) == (403, True)
    assert "Access-Control-Allow-Origin" not in reply.headers
    assert cloudzero.costs() == ["1"]
    assert cloudzero.own("POST", path, data="{}", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_the_refusal_names_the_option(cloudzero):
    reply = cloudzero.own("GET", "state", headers={"Host": "sandbox:8900"})
    assert "--own-host" in reply.json()["error"]["message"]


def test_this_machine_and_the_same_origin_are_allowed(cloudzero):
    port = cloudzero.url.rsplit(":", 1)[1]
    for host in (
        f"127.0.0.1:{port}",
        f"localhost:{port}",
        f"LOCALHOST:{port}",
        "127.0.0.1",
        "127.8.8.8",
        f"[::1]:{port}",
    ):
        assert status(cloudzero, "GET", "/", Host=host) == 200
        assert status(cloudzero, "POST", "/sandbox/reset", Host=host, Origin=f"http://{host}") == 200
    assert status(cloudzero, "GET", "/", Sec_Fetch_Site="cross-site") == 200, "a link on another page"
    assert status(cloudzero, "POST", "/sandbox/reset", Sec_Fetch_Site="same-origin") == 200


def test_two_host_headers_or_none_are_refused(noisy):
    _, cloudzero = noisy
    host, port = cloudzero.url.removeprefix("http://").split(":")
    for lines in (b"Host: 127.0.0.1\r\nHost: evil.example\r\n", b""):
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(b"POST /sandbox/reset HTTP/1.0\r\n%sContent-Length: 0\r\n\r\n" % lines)
            assert connection.recv(100).split()[1] in (b"403", b"400")


def test_the_cloudzero_api_requires_only_the_key(cloudzero):
    headers = {"Host": "api.cloudzero.com", "Origin": "https://evil.example"}
    assert cloudzero.session.get(cloudzero.drops_url(), headers=headers).status_code == 200


def own_address():
    """An address of this machine that is not loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        return probe.getsockname()[0]


def test_other_machines_need_the_option(start):
    address = own_address()
    if address is None or address.startswith("127."):
        pytest.skip("this machine has no address but loopback")
    sandbox, cloudzero = start("--host", "0.0.0.0")
    port = cloudzero.url.rsplit(":", 1)[1]
    far = f"http://{address}:{port}"
    for host in (f"{address}:{port}", f"localhost:{port}"):
        assert requests.get(f"{far}/sandbox/state", headers={"Host": host}, timeout=10).status_code == 403
    assert requests.get(f"{far}/v2/connections/billing", timeout=10).json() == {"message": "Forbidden"}
    sandbox.end()
    _, cloudzero = start("--host", "0.0.0.0", "--own-host", address, "--own-host", "sandbox")
    port = cloudzero.url.rsplit(":", 1)[1]
    far = f"http://{address}:{port}"
    seen = {
        host: requests.get(f"{far}/sandbox/state", headers={"Host": host}, timeout=10).status_code
        for host in (f"{address}:{port}", "sandbox:8900", "SANDBOX", "localhost", "evil.example")
    }
    assert seen == {
        f"{address}:{port}": 200,
        "sandbox:8900": 200,
        "SANDBOX": 200,
        "localhost": 200,
        "evil.example": 403,
    }
    foreign = {"Host": "sandbox:8900", "Origin": "http://evil.example"}
    assert requests.post(f"{far}/sandbox/reset", headers=foreign, timeout=10).status_code == 403


def test_the_option_can_allow_any_host(start):
    _, cloudzero = start("--own-host", "*")
    assert status(cloudzero, "GET", "/", Host="what.ever") == 200
    assert status(cloudzero, "POST", "/sandbox/reset", Host="what.ever", Origin="http://evil.example") == 403
