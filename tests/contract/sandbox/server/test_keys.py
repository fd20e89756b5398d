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


def test_a_missing_scope_is_named(cloudzero):
    cloudzero.session.headers["Authorization"] = cloudzero.READER_KEY
    reply = cloudzero.post([cloudzero.row()])
    assert reply.status_code == 403
    assert reply.json()["message"].endswith("connections:create_billing_anycost_billing_drop.")
    assert cloudzero.list_drops().json() == {"billing_drops": []}


def test_an_unknown_key_gets_no_scope_names(cloudzero):
    cloudzero.session.headers["Authorization"] = "wrong"
    assert "connections:" not in cloudzero.post([cloudzero.row()]).text


def test_keys_are_not_shown_by_the_control_api_or_the_page(cloudzero):
    cloudzero.session.headers["User-Agent"] = f"agent {cloudzero.KEY}"
    cloudzero.session.get(f"{cloudzero.url}/v2/{cloudzero.KEY}?key={cloudzero.KEY}")
    cloudzero.post([cloudzero.row()])
    shown = [cloudzero.own("GET", path).text for path in ("state", "requests", "settings", "faults")]
    shown.append(cloudzero.session.get(f"{cloudzero.url}/").text)
    assert "agent ***" in shown[1]
    assert not any(cloudzero.KEY in text or cloudzero.READER_KEY in text for text in shown)
