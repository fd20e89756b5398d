from __future__ import annotations

import time
from email.utils import parsedate_to_datetime

import pytest
import requests
from contract.sandbox.conftest import KEY


class TestThrottling:
    def test_the_default_burst_is_large(self, cloudzero):
        for _ in range(5):
            assert cloudzero.send([cloudzero.metric()] * 2000).status_code == 200

    @pytest.mark.parametrize("status", [429, 503])
    def test_records_beyond_the_burst_are_refused_until_the_bucket_refills(self, cloudzero, status):
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

    def test_the_form_of_retry_after_is_a_setting(self, cloudzero):
        cloudzero.set(telemetry_rate=1, telemetry_burst=10, telemetry_retry_after="none")
        cloudzero.send([cloudzero.metric()] * 10)
        assert "Retry-After" not in cloudzero.send([cloudzero.metric()] * 10).headers
        cloudzero.set(telemetry_retry_after="http_date")
        at = parsedate_to_datetime(cloudzero.send([cloudzero.metric()] * 10).headers["Retry-After"]).timestamp()
        assert 9 <= at - time.time() <= 11

    def test_a_throttled_request_uses_no_tokens_and_a_reset_fills_the_bucket(self, cloudzero):
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


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("told", ["seconds", "http_date", "none"])
def test_requests_beyond_the_rate_are_throttled_and_not_applied(cloudzero, status, told):
    cloudzero.set(anycost_rate=0.5, anycost_burst=1, anycost_throttle_status=status, anycost_retry_after=told)
    replies = [cloudzero.post([cloudzero.row(cost)]) for cost in ("1", "2")]
    assert [reply.status_code for reply in replies] == [200, status]
    retry_after = replies[1].headers.get("Retry-After")
    assert {"seconds": retry_after == "2", "http_date": (retry_after or "").endswith("GMT"), "none": not retry_after}[
        told
    ]
    cloudzero.set(anycost_rate=0)
    assert cloudzero.costs() == ["1"]


@pytest.mark.parametrize(
    ("scope", "statuses"), [("organization", [200, 429, 429]), ("key", [200, 429, 200]), ("stream", [200, 200, 429])]
)
def test_the_scope_of_the_anycost_rate(cloudzero, scope, statuses):
    cloudzero.set(anycost_rate=0.1, rate_scope=scope)
    asked = [(cloudzero.STREAM, KEY), (cloudzero.OTHER_STREAM, KEY), (cloudzero.STREAM, cloudzero.READER_KEY)]
    found = [
        requests.get(cloudzero.drops_url(stream), headers={"Authorization": key}, timeout=10).status_code
        for stream, key in asked
    ]
    assert found == statuses


@pytest.mark.parametrize(("scope", "status"), [("organization", 429), ("key", 429), ("stream", 200)])
def test_the_scope_of_the_telemetry_rate(cloudzero, scope, status):
    cloudzero.set(telemetry_rate=0.1, telemetry_burst=1, rate_scope=scope)
    assert cloudzero.send([cloudzero.metric()], name="a").status_code == 200
    assert cloudzero.send([cloudzero.metric()], name="b").status_code == status
    assert cloudzero.send([cloudzero.metric()], name="a").status_code == 429


def test_requests_are_accepted_again_after_a_pause(cloudzero):
    cloudzero.set(anycost_rate=5, anycost_burst=1)
    assert [cloudzero.list_drops().status_code for _ in range(2)] == [200, 429]
    time.sleep(0.25)
    assert cloudzero.list_drops().status_code == 200


def test_the_documented_telemetry_rate_is_the_default(cloudzero):
    settings = cloudzero.own("GET", "settings").json()["settings"]
    assert (settings["telemetry_rate"], settings["telemetry_burst"]) == (100, 8_640_000)
    cloudzero.set(telemetry_burst=150)
    records = [cloudzero.metric(1, associated_cost={"custom:Team": str(number)}) for number in range(100)]
    statuses = [cloudzero.send(records).status_code for _ in range(3)]
    assert statuses == [200, 429, 429]
