from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    "value", [None, "", "wrong", "Bearer sandbox-test-key-1234", "sandbox-test-key-1234x", "ключ".encode()]
)
def test_anything_but_the_bare_key_is_forbidden(cloudzero, value):
    cloudzero.session.headers["Authorization"] = value
    reply = cloudzero.post([cloudzero.row()])
    assert (reply.status_code, list(reply.json())) == (403, ["message"])
    assert cloudzero.months() == {}


def test_a_key_without_the_scope_is_told_which_one_is_missing(cloudzero):
    cloudzero.session.headers["Authorization"] = cloudzero.READER_KEY
    reply = cloudzero.post([cloudzero.row()])
    assert reply.status_code == 403
    assert reply.json()["message"].endswith("connections:create_billing_anycost_billing_drop.")
    assert cloudzero.session.get(cloudzero.drops_url()).json() == {"billing_drops": []}


def test_an_unknown_key_learns_nothing_about_scopes(cloudzero):
    cloudzero.session.headers["Authorization"] = "wrong"
    assert "connections:" not in cloudzero.post([cloudzero.row()]).text


def test_no_key_shows_up_anywhere(cloudzero):
    cloudzero.session.headers["User-Agent"] = f"agent {cloudzero.KEY}"
    cloudzero.session.get(f"{cloudzero.url}/v2/{cloudzero.KEY}?key={cloudzero.KEY}")
    cloudzero.post([cloudzero.row()])
    shown = [cloudzero.own("GET", path).text for path in ("state", "requests", "settings", "faults")]
    shown.append(cloudzero.session.get(f"{cloudzero.url}/").text)
    assert "agent ***" in shown[1]
    assert not any(cloudzero.KEY in text or cloudzero.READER_KEY in text for text in shown)


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/v2/nothing", 404), ("PUT", "/v2/connections/billing", 405)]
)
def test_what_cloudzero_does_not_have(cloudzero, method, path, status):
    assert cloudzero.session.request(method, cloudzero.url + path).status_code == status
    assert cloudzero.requests()[-1]["path"] == path
