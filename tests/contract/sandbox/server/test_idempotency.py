from __future__ import annotations

import time

import pytest
import requests


def keyed(value="k"):
    return {"cloudzero-idempotency-key": value}


def test_the_first_reply_is_repeated_for_any_body(cloudzero):
    first = cloudzero.post([cloudzero.row("1")], "sum", headers=keyed())
    again = cloudzero.post([cloudzero.row("2")], "sum", month="2024-09", headers=keyed())
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert (cloudzero.costs(), cloudzero.costs("2024-09")) == (["1"], None)
    assert [request["replayed"] for request in cloudzero.requests()[:2]] == [False, True]


def test_errors_are_repeated(cloudzero):
    assert cloudzero.post([cloudzero.row("x")], headers=keyed()).status_code == 400
    assert cloudzero.post([cloudzero.row()], headers=keyed()).status_code == 400
    assert cloudzero.months() == {}


def test_another_key_path_or_method_is_another_request(cloudzero):
    cloudzero.post([cloudzero.row()], "sum", headers=keyed())
    cloudzero.post([cloudzero.row()], "sum", headers=keyed("other"))
    cloudzero.post([cloudzero.row()], "sum", headers=keyed(), stream=cloudzero.OTHER_STREAM)
    listed = cloudzero.session.get(cloudzero.drops_url(), headers=keyed()).json()
    assert listed["billing_drops"][0]["row_count"] == 2
    assert cloudzero.months(cloudzero.OTHER_STREAM)["2024-08"]["rows"] == 1


def test_replies_to_reads_are_repeated(cloudzero):
    cloudzero.post([cloudzero.row("1")])
    read = [cloudzero.session.get(f"{cloudzero.drops_url()}/2024-08", headers=keyed()).json()]
    cloudzero.post([cloudzero.row("2")])
    read.append(cloudzero.session.get(f"{cloudzero.drops_url()}/2024-08", headers=keyed()).json())
    assert read[0] == read[1] == {"billing_drop": [cloudzero.row("1")]}


def test_a_forbidden_request_neither_gets_nor_keeps_a_reply(cloudzero):
    cloudzero.session.headers["Authorization"] = "wrong"
    assert cloudzero.post([cloudzero.row()], headers=keyed()).status_code == 403
    cloudzero.session.headers["Authorization"] = cloudzero.KEY
    assert cloudzero.post([cloudzero.row()], headers=keyed()).status_code == 200
    cloudzero.session.headers["Authorization"] = "wrong"
    assert cloudzero.post([cloudzero.row()], headers=keyed()).status_code == 403


def test_a_sum_whose_reply_was_lost_can_be_sent_again_with_its_key(cloudzero):
    cloudzero.arm({"kind": "apply_then_lose_reply"})
    with pytest.raises(requests.ConnectionError):
        cloudzero.post([cloudzero.row()], "sum", headers=keyed())
    assert cloudzero.post([cloudzero.row()], "sum", headers=keyed()).json()["connection"]["row_count"] == 1
    assert cloudzero.costs() == ["1"]


def test_a_sum_that_is_applied_later_is_applied_once(cloudzero):
    cloudzero.arm({"kind": "lose_reply_then_apply", "seconds": 0.3})
    with pytest.raises(requests.ConnectionError):
        cloudzero.post([cloudzero.row()], "sum", headers=keyed())
    assert cloudzero.post([cloudzero.row()], "sum", headers=keyed()).status_code == 409
    cloudzero.wait_for(lambda: cloudzero.requests()[0]["ended"])
    assert cloudzero.post([cloudzero.row()], "sum", headers=keyed()).status_code == 200
    assert cloudzero.costs() == ["1"]


def test_a_refusal_by_a_fault_is_repeated_with_its_headers(cloudzero):
    cloudzero.arm({"kind": "refuse", "status": 429, "retry_after": 7})
    replies = [cloudzero.post([cloudzero.row()], headers=keyed()) for _ in range(2)]
    assert [(reply.status_code, reply.headers["Retry-After"]) for reply in replies] == [(429, "7")] * 2


def test_a_created_connection_is_created_once(cloudzero):
    url = f"{cloudzero.url}/v2/connections/billing"
    body = {"name": "once", "cloud_provider": "x"}
    ids = {cloudzero.session.post(url, json=body, headers=keyed()).json()["connection"]["id"] for _ in range(2)}
    assert len(ids) == 1


def test_replies_expire(cloudzero):
    cloudzero.set(idempotency_seconds=0.1)
    cloudzero.post([cloudzero.row()], "sum", headers=keyed())
    time.sleep(0.15)
    cloudzero.post([cloudzero.row()], "sum", headers=keyed())
    assert cloudzero.costs() == ["1", "1"]


def test_the_kept_reply_comes_before_every_other_check(cloudzero):
    first = cloudzero.post([cloudzero.row("1")], "sum", headers=keyed())
    large = b" " * 5_000_001
    again = [
        cloudzero.post_raw(b"{}", {**keyed(), "Content-Type": "text/plain"}),
        cloudzero.post_raw(b"{}", {**keyed(), "Content-Encoding": "br"}),
        cloudzero.post_raw(large, keyed()),
        cloudzero.post_raw(iter([large]), keyed()),
        cloudzero.post_raw(b"not JSON", keyed()),
        cloudzero.post_raw(b"{}", {**keyed(), "cloudzero-test-key": "x"}),
    ]
    assert {(reply.status_code, reply.content) for reply in again} == {(200, first.content)}
    assert cloudzero.costs() == ["1"]
    assert [request["replayed"] for request in cloudzero.requests()[1:7]] == [True] * 6


def test_the_kept_reply_comes_before_the_limit_on_the_rate(cloudzero):
    cloudzero.set(anycost_rate=0.001, anycost_burst=1)
    first = cloudzero.post([cloudzero.row()], "sum", headers=keyed())
    assert cloudzero.post([cloudzero.row()], "sum", headers=keyed("other")).status_code == 429
    again = cloudzero.post([cloudzero.row()], "sum", headers=keyed())
    assert (again.status_code, again.content) == (200, first.content)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{}", {"Content-Type": "text/plain"}, 415),
        (b"{}", {"Content-Encoding": "gzip"}, 415),
        (b" " * 5_000_001, {}, 413),
        (b"{}", {"cloudzero-test-key": "x"}, 400),
    ],
)
def test_refusals_of_all_kinds_are_repeated(cloudzero, body, headers, status):
    refused = cloudzero.post_raw(body, {**keyed(), **headers})
    again = cloudzero.post([cloudzero.row()], headers=keyed())
    assert (refused.status_code, again.status_code, again.content) == (status, status, refused.content)
    assert cloudzero.months() == {}


def test_a_refusal_while_the_first_request_runs_is_not_kept(cloudzero):
    cloudzero.arm({"kind": "lose_reply_then_apply", "seconds": 0.4})
    with pytest.raises(requests.ConnectionError):
        cloudzero.post([cloudzero.row()], "sum", headers=keyed())
    assert cloudzero.post_raw(b" " * 5_000_001, keyed()).status_code == 413
    cloudzero.wait_for(lambda: cloudzero.requests()[0]["ended"])
    assert cloudzero.post([cloudzero.row()], "sum", headers=keyed()).status_code == 200
    assert cloudzero.costs() == ["1"]
