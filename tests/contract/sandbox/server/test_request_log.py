from __future__ import annotations

import pytest


def test_the_log_has_telemetry_requests(cloudzero):
    cloudzero.send([cloudzero.metric(1), cloudzero.metric(2, "2024-09-02")], "replace")
    cloudzero.send([cloudzero.metric(0)])
    cloudzero.submitted()
    good, bad, read = cloudzero.requests()
    assert (good["method"], good["path"]) == ("POST", "/unit-cost/v1/telemetry/metric/orders/replace")
    assert (good["stream"], good["connection_id"], good["month"]) == ("orders", None, None)
    assert (good["operation"], good["rows"], good["status"], good["applied"]) == ("replace", 2, 200, True)
    assert good["started"] <= good["applied_at"] <= good["ended"]
    assert good["bytes"] > 50
    assert (bad["operation"], bad["rows"], bad["status"], bad["applied"]) == ("sum", 1, 400, False)
    assert (read["stream"], read["operation"], read["rows"], read["status"]) == ("orders", None, None, 200)
    assert not any(request["overlapped"] for request in (good, bad, read))


def test_the_log_has_every_request_in_order(cloudzero):
    cloudzero.session.headers["User-Agent"] = "sender/1.0"
    cloudzero.post([cloudzero.row(), cloudzero.row()], "sum")
    cloudzero.post([cloudzero.row("x")])
    cloudzero.read()
    good, bad, read = cloudzero.requests()
    assert (good["method"], good["path"]) == (
        "POST",
        f"/v2/connections/billing/anycost/{cloudzero.STREAM}/billing_drops",
    )
    assert (good["connection_id"], good["operation"], good["month"], good["rows"]) == (
        cloudzero.STREAM,
        "sum",
        "2024-08",
        2,
    )
    assert (good["status"], good["applied"], good["fault"], good["overlapped"], good["user_agent"]) == (
        200,
        True,
        None,
        False,
        "sender/1.0",
    )
    assert good["started"] <= good["applied_at"] <= good["ended"]
    assert good["bytes"] > 100
    assert (bad["status"], bad["applied"], bad["applied_at"], bad["operation"]) == (
        400,
        False,
        None,
        "replace_drop",
    )
    assert (read["method"], read["month"], read["status"], read["applied"]) == ("GET", "2024-08", 200, False)
    assert good["number"] < bad["number"] < read["number"]
    assert cloudzero.requests(since=good["number"]) == [bad, read]


def test_requests_to_the_control_api_are_not_logged(cloudzero):
    cloudzero.own("GET", "state")
    cloudzero.own("GET", "nothing")
    cloudzero.session.get(f"{cloudzero.url}/")
    assert cloudzero.requests() == []


@pytest.mark.parametrize("since", ["-1", "x", "1.5", ""])
def test_since_must_be_a_number(cloudzero, since):
    assert cloudzero.own("GET", f"requests?since={since}").status_code == 400
