from __future__ import annotations

import pytest
import requests
from contract.sandbox.conftest import KEY


def test_a_test_key_is_refused_and_nothing_is_stored(cloudzero):
    reply = cloudzero.post([cloudzero.row()], headers={"cloudzero-test-key": "x"})
    assert reply.status_code == 400
    assert "sandbox does not implement" in reply.json()["error"]["message"]
    assert cloudzero.months() == {}


@pytest.mark.parametrize("status", [403, 401])
def test_a_bad_key_and_a_missing_scope_are_denied_with_the_status(cloudzero, status):
    cloudzero.set(denied_status=status)
    denied = [
        requests.get(cloudzero.drops_url(), headers={"Authorization": key}, timeout=10).status_code
        for key in ("another key", cloudzero.READER_KEY)
    ]
    assert denied == [status, 200]
    reply = requests.post(cloudzero.drops_url(), json={}, headers={"Authorization": cloudzero.READER_KEY}, timeout=10)
    assert reply.status_code == status
    assert "create_billing_anycost_billing_drop" in reply.json()["message"]


@pytest.mark.parametrize(("bearer", "status"), [("refuse", 403), ("accept", 200)])
def test_a_key_with_bearer(cloudzero, bearer, status):
    cloudzero.set(bearer=bearer)
    found = [
        requests.get(cloudzero.drops_url(), headers={"Authorization": text}, timeout=10).status_code
        for text in (f"Bearer {KEY}", KEY, f"bearer {KEY}", f"Bearer Bearer {KEY}")
    ]
    assert found == [status, 200, 403, 403]


@pytest.mark.parametrize(("test_key", "status", "costs"), [("refuse", 400, None), ("ignore", 200, ["1"])])
def test_a_request_for_the_test_namespace_is_refused_or_is_live(cloudzero, test_key, status, costs):
    cloudzero.set(test_key=test_key)
    assert cloudzero.post([cloudzero.row()], headers={"cloudzero-test-key": "x"}).status_code == status
    assert cloudzero.costs() == costs
