"""What CloudZero may answer, set to each possibility: access, rates, and AnyCost's replies of success."""

from __future__ import annotations

import threading
import time

import pytest
import requests
from contract.sandbox.conftest import KEY


def drops(cloudzero):
    return cloudzero.session.get(cloudzero.drops_url())


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


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("told", ["seconds", "http_date", "none"])
def test_requests_that_come_too_fast_are_throttled_and_do_nothing(cloudzero, status, told):
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
def test_what_the_rate_is_over(cloudzero, scope, statuses):
    cloudzero.set(anycost_rate=0.1, rate_scope=scope)
    asked = [(cloudzero.STREAM, KEY), (cloudzero.OTHER_STREAM, KEY), (cloudzero.STREAM, cloudzero.READER_KEY)]
    found = [
        requests.get(cloudzero.drops_url(stream), headers={"Authorization": key}, timeout=10).status_code
        for stream, key in asked
    ]
    assert found == statuses


@pytest.mark.parametrize(("scope", "status"), [("organization", 429), ("key", 429), ("stream", 200)])
def test_what_the_rate_of_telemetry_is_over(cloudzero, scope, status):
    cloudzero.set(telemetry_rate=0.1, telemetry_burst=1, rate_scope=scope)
    assert cloudzero.send([cloudzero.metric()], name="a").status_code == 200
    assert cloudzero.send([cloudzero.metric()], name="b").status_code == status
    assert cloudzero.send([cloudzero.metric()], name="a").status_code == 429


@pytest.mark.parametrize("status", [409, 400, 423, 425, 429, 500, 503])
def test_a_concurrent_request_is_refused_with_the_status(cloudzero, status):
    cloudzero.set(concurrent_status=status)
    assert concurrent_reply(cloudzero).status_code == status
    assert cloudzero.costs() == ["1"]


def test_or_both_are_carried_out(cloudzero):
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


@pytest.mark.parametrize(("form", "shown"), [("number", {"row_count": 2}), ("text", {"row_count": "2"})])
@pytest.mark.parametrize("success_body", ["documented", "other_wrapper"])
def test_the_form_of_a_row_count(cloudzero, form, shown, success_body):
    cloudzero.set(row_count_form=form, success_body=success_body)
    [told] = cloudzero.post([cloudzero.row(), cloudzero.row()]).json().values()
    listed = drops(cloudzero).json()["billing_drops"]
    assert [told["row_count"], listed[0]["row_count"]] == [shown["row_count"]] * 2


@pytest.mark.parametrize(("form", "shown"), [("null", {"row_count": None}), ("missing", {})])
def test_a_row_count_that_is_none(cloudzero, form, shown):
    cloudzero.set(row_count_form=form)
    told = cloudzero.post([cloudzero.row()]).json()["connection"]
    assert {name: value for name, value in told.items() if name == "row_count"} == shown
    assert drops(cloudzero).json()["billing_drops"] == [told]


@pytest.mark.parametrize(
    ("body", "text", "content_type"),
    [
        ("html", "<!DOCTYPE html><html><body>OK</body></html>", "text/html"),
        ("other_json", '{"result": {"accepted": true}}', "application/json"),
        ("json_list", '["accepted"]', "application/json"),
        ("json_text", '"accepted"', "application/json"),
        ("json_null", "null", "application/json"),
    ],
)
def test_strange_bodies_of_an_accepted_drop(cloudzero, body, text, content_type):
    cloudzero.set(success_body=body, success_status=203)
    reply = cloudzero.post([cloudzero.row()])
    assert (reply.status_code, reply.text, reply.headers["Content-Type"]) == (203, text, content_type)
    assert cloudzero.costs() == ["1"]


def test_nested_wrappers(cloudzero):
    cloudzero.set(list_wrapper="nested", contents_wrapper="nested")
    drop = cloudzero.post([cloudzero.row()]).json()["connection"]
    assert drops(cloudzero).json() == {"result": {"billing_drops": [drop]}}
    assert cloudzero.read().json() == {"result": {"billing_drop": [cloudzero.row()]}}


@pytest.mark.parametrize("wrapper", ["billing_drop", "data", "none", "nested"])
def test_rows_may_show_numbers_as_numbers_and_nothing_else_changes(cloudzero, wrapper):
    row = cloudzero.row("-0.10", **{"usage/amount": "12", "resource/id": "7", "cost/amortized_cost": "007"})
    cloudzero.post([row, cloudzero.row("3", **{"lineitem/description": '"cost/cost":"5"'})])
    cloudzero.set(contents_wrapper=wrapper, contents_numbers="number")
    text = cloudzero.read().text
    for part in ('"cost/cost":-0.10', '"usage/amount":12', '"resource/id":"7"', '"cost/amortized_cost":"007"'):
        assert part in text
    assert '\\"cost/cost\\":\\"5\\"' in text
    assert cloudzero.read().json()


def test_the_limit_on_requests_is_over_after_a_while(cloudzero):
    cloudzero.set(anycost_rate=5, anycost_burst=1)
    assert [drops(cloudzero).status_code for _ in range(2)] == [200, 429]
    time.sleep(0.25)
    assert drops(cloudzero).status_code == 200
