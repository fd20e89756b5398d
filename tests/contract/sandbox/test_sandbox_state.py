from __future__ import annotations

import hashlib
import json
import re

import pytest


def test_totals_are_exact_far_beyond_28_digits(cloudzero):
    cost = "123456789012345678.000000000000000000000000000001"
    rows = [cloudzero.row(cost, f"2024-08-{day:02}T00:00:00Z") for day in range(1, 11)]
    cloudzero.post(rows, "sum")
    cloudzero.post([cloudzero.row("-0.000000000000000000000000000009"), cloudzero.row("7" * 40)], "sum")
    expected = 10 * 123456789012345678 * 10**30 + 10 - 9 + int("7" * 40) * 10**30
    whole, fraction = divmod(expected, 10**30)
    assert cloudzero.months()["2024-08"]["total_cost"] == f"{whole}.{fraction:030}"


def test_every_cost_column_has_its_total(cloudzero):
    cloudzero.post(
        [
            cloudzero.row("1.10", **{"cost/amortized_cost": "0"}),
            cloudzero.row("2.2", **{"cost/on_demand_cost": "5", "cost/mine": "x"}),
        ]
    )
    assert cloudzero.months()["2024-08"]["totals"] == {
        "cost/cost": "3.30",
        "cost/amortized_cost": "0",
        "cost/on_demand_cost": "5",
    }


def test_hours_and_rows_follow_every_operation(cloudzero):
    cloudzero.post([cloudzero.row("1", "2024-08-02T00:30:00Z"), cloudzero.row("1", "2024-08-03T05:00:00Z")])
    cloudzero.post([cloudzero.row("1", "2024-08-02T00:00:00Z"), cloudzero.row("1", "2024-08-01T00:00:00Z")], "sum")
    month = cloudzero.months()["2024-08"]
    assert (month["rows"], month["hours"]) == (4, 3)
    assert (month["first_hour"], month["last_hour"]) == ("2024-08-01T00:00:00Z", "2024-08-03T05:00:00Z")
    cloudzero.post([cloudzero.row("2", "2024-08-03T05:59:00Z")], "replace_hourly")
    month = cloudzero.months()["2024-08"]
    assert (month["rows"], month["hours"], month["total_cost"]) == (4, 3, "5")


def test_the_digest_does_not_depend_on_order_or_on_how_the_rows_were_sent(cloudzero):
    rows = [
        cloudzero.row(str(number), f"2024-08-{number + 1:02}T00:00:00Z", **{"resource/id": "é\n"})
        for number in range(20)
    ]
    cloudzero.post(rows)
    first = cloudzero.months()["2024-08"]["digest"]
    cloudzero.post([dict(reversed(row.items())) for row in rows[10:]])
    assert cloudzero.months()["2024-08"]["digest"] != first
    cloudzero.post(rows[:10], "sum")
    assert cloudzero.months()["2024-08"]["digest"] == first
    lines = sorted(json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() for row in rows)
    assert first == hashlib.sha256(b"\n".join(lines)).hexdigest()


def test_every_stream_is_there_with_its_name(cloudzero):
    streams = cloudzero.own("GET", "state").json()["streams"]
    assert streams[cloudzero.STREAM] == {"name": "sandbox-stream", "months": {}}
    assert streams[cloudzero.OTHER_STREAM]["name"] == cloudzero.OTHER_STREAM


def test_the_log_tells_every_request_in_order(cloudzero):
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


def test_own_requests_are_not_logged(cloudzero):
    cloudzero.own("GET", "state")
    cloudzero.own("GET", "nothing")
    cloudzero.session.get(f"{cloudzero.url}/")
    assert cloudzero.requests() == []


@pytest.mark.parametrize("since", ["-1", "x", "1.5", ""])
def test_since_has_to_be_a_number(cloudzero, since):
    assert cloudzero.own("GET", f"requests?since={since}").status_code == 400


def test_a_reset_forgets_everything_but_connections_and_settings(cloudzero):
    cloudzero.set(row_count_means="request")
    cloudzero.post([cloudzero.row()], headers={"cloudzero-idempotency-key": "k"})
    cloudzero.arm({"kind": "lose_request"})
    assert cloudzero.own("POST", "reset").status_code == 200
    assert (cloudzero.months(), cloudzero.requests(), cloudzero.own("GET", "faults").json()) == (
        {},
        [],
        {"faults": []},
    )
    assert cloudzero.own("GET", "settings").json()["settings"]["row_count_means"] == "request"
    assert cloudzero.post([cloudzero.row("2")], headers={"cloudzero-idempotency-key": "k"}).status_code == 200
    assert cloudzero.costs() == ["2"]


def test_the_page_shows_months_and_escapes_what_was_sent(cloudzero):
    cloudzero.post([cloudzero.row("1234.50"), cloudzero.row("-0.25", "2024-08-17T00:00:00Z")])
    cloudzero.session.headers["User-Agent"] = "<script>"
    cloudzero.session.get(f"{cloudzero.url}/v2/<script>&b?<b>")
    reply = cloudzero.session.get(f"{cloudzero.url}/?stream={cloudzero.STREAM}&month=2024-08")
    assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "1,234.25" in reply.text
    assert "2024-08-16: 1,234.50" in reply.text
    assert "<script" not in reply.text
    assert "&amp;b" in reply.text
    assert not re.search(r"(src|href)=.?(https?:)?//", reply.text)


def test_the_rows_of_a_month_are_shown_as_they_are_held(cloudzero):
    cloudzero.set(contents_wrapper="nested", contents_numbers="number", read_lag_seconds=5)
    rows = [cloudzero.row("1.50"), cloudzero.row("2", "2024-08-17T00:00:00Z")]
    cloudzero.post(rows)
    shown = [
        cloudzero.own("GET", f"streams/{cloudzero.STREAM}/{month}/rows") for month in ("2024-08", "2024-09", "2024")
    ]
    assert [reply.status_code for reply in shown] == [200, 200, 400]
    assert [reply.json() for reply in shown[:2]] == [rows, []]
