from __future__ import annotations

import time

import pytest


@pytest.mark.parametrize(
    "body",
    [
        {"no_such": 1},
        {"concurrent_status": 418},
        {"gzip": "maybe"},
        {"body_limit": 0},
        {"body_limit": "x"},
        {"body_limit": 1.5},
        {"read_lag_seconds": -1},
        {"read_lag_seconds": "nan"},
        {"read_lag_seconds": "inf"},
        {"gzip": None},
        {"body_limit": True},
        [],
    ],
)
def test_an_impossible_setting_is_refused_and_nothing_changes(cloudzero, body):
    before = cloudzero.own("GET", "settings").json()
    reply = cloudzero.own("POST", "settings", json={"row_count_means": "request", **body} if body else body)
    assert reply.status_code == 400
    assert cloudzero.own("GET", "settings").json() == before


def test_a_refusal_lists_what_is_possible(cloudzero):
    messages = [
        cloudzero.own("POST", "settings", json=body).json()["error"]["message"]
        for body in ({"x": 1}, {"concurrent_status": 1}, {"gzip": "x"})
    ]
    assert "concurrent_status" in messages[0]
    assert "409, 400, 423, 425, 429, 503" in messages[1]
    assert "accept, refuse" in messages[2]


def test_every_setting_shows_what_is_possible(cloudzero):
    shown = cloudzero.own("GET", "settings").json()
    assert sorted(shown["settings"]) == sorted(shown["possible"])
    for name, possible in shown["possible"].items():
        assert isinstance(possible, str) or shown["settings"][name] in possible


def test_row_count_means(cloudzero):
    counts = []
    for meaning in ("month", "request"):
        cloudzero.set(row_count_means=meaning)
        counts.append(cloudzero.post([cloudzero.row()], "sum").json()["connection"]["row_count"])
    cloudzero.set(row_count_means="month")
    counts.append(cloudzero.post([cloudzero.row()], "sum").json()["connection"]["row_count"])
    assert counts == [1, 1, 3]


def counts_listed(cloudzero):
    listed = cloudzero.session.get(cloudzero.drops_url()).json()["billing_drops"]
    return {drop["month"][:7]: drop["row_count"] for drop in listed}


def test_row_count_means_the_same_where_drops_are_listed(cloudzero):
    first, second = "2024-08-16T13:00:00Z", "2024-08-16T14:00:00Z"
    cloudzero.post([cloudzero.row(hour=first), cloudzero.row(hour=second), cloudzero.row(hour=second)])
    cloudzero.post([cloudzero.row(), cloudzero.row(hour=second)], "sum")
    cloudzero.post([cloudzero.row(hour="2024-09-01T00:00:00Z")], month="2024-09")
    for meaning, counts in (("month", (5, 1)), ("request", (2, 1))):
        cloudzero.set(row_count_means=meaning)
        assert counts_listed(cloudzero) == {"2024-08": counts[0], "2024-09": counts[1]}
    cloudzero.post([cloudzero.row(hour=second)], "replace_hourly")
    assert counts_listed(cloudzero)["2024-08"] == 1
    cloudzero.set(row_count_means="month")
    assert counts_listed(cloudzero)["2024-08"] == 3


def test_the_last_request_is_listed_late_as_well(cloudzero):
    cloudzero.set(row_count_means="request", read_lag_seconds=0.6)
    cloudzero.post([cloudzero.row(), cloudzero.row()])
    cloudzero.wait_for(lambda: counts_listed(cloudzero) == {"2024-08": 2})
    cloudzero.post([cloudzero.row()], "sum")
    assert counts_listed(cloudzero) == {"2024-08": 2}
    cloudzero.wait_for(lambda: counts_listed(cloudzero) == {"2024-08": 1})


@pytest.mark.parametrize(
    ("settings", "status", "text"),
    [
        ({"success_body": "empty"}, 200, ""),
        ({"success_body": "text", "success_status": 202}, 202, "OK"),
        ({"success_status": 204}, 204, ""),
        ({"success_body": "other_wrapper", "success_status": 201}, 201, '{"billing_drop": {"drop_id"'),
        ({"success_body": "other_wrapper", "drop_wrapper": "none"}, 200, '{"drop_id"'),
    ],
)
def test_the_reply_to_an_accepted_drop(cloudzero, settings, status, text):
    cloudzero.set(**settings)
    reply = cloudzero.post([cloudzero.row()])
    assert reply.status_code == status
    assert reply.text == text if len(text) < 3 else reply.text.startswith(text)
    assert cloudzero.costs() == ["1"]


def test_the_wrappers_of_reads(cloudzero):
    cloudzero.set(list_wrapper="none", contents_wrapper="data", reply_month="year_month")
    cloudzero.post([cloudzero.row()])
    assert cloudzero.session.get(cloudzero.drops_url()).json()[0]["month"] == "2024-08"
    assert cloudzero.read().json() == {"data": [cloudzero.row()]}


@pytest.mark.parametrize(("spelling", "statuses"), [("year_month", [200, 400]), ("datetime", [400, 200])])
def test_month_format(cloudzero, spelling, statuses):
    cloudzero.set(month_format=spelling)
    months = ["2024-08", "2024-08-01T00:00:00Z"]
    assert [cloudzero.post([cloudzero.row()], month=month).status_code for month in months] == statuses
    assert [cloudzero.read(month).status_code for month in months] == statuses


def test_the_body_limit(cloudzero):
    cloudzero.set(body_limit=100)
    assert cloudzero.post([cloudzero.row(), cloudzero.row()]).status_code == 413


def test_reads_lag_behind_by_the_setting(cloudzero):
    cloudzero.set(read_lag_seconds=0.6)
    cloudzero.post([cloudzero.row("1")])
    assert cloudzero.costs() is None
    assert cloudzero.session.get(cloudzero.drops_url()).json() == {"billing_drops": []}
    cloudzero.wait_for(lambda: cloudzero.costs() == ["1"])
    cloudzero.post([cloudzero.row("2"), cloudzero.row("3")])
    assert cloudzero.costs() == ["1"]
    assert cloudzero.months()["2024-08"]["rows"] == 2, "the state is never late"
    cloudzero.wait_for(lambda: cloudzero.costs() == ["2", "3"])
    cloudzero.post([])
    assert cloudzero.session.get(cloudzero.drops_url()).json()["billing_drops"][0]["row_count"] == 2
    cloudzero.wait_for(lambda: cloudzero.costs() is None)
    cloudzero.set(read_lag_seconds=0)
    time.sleep(0)
    cloudzero.post([cloudzero.row("4")])
    assert cloudzero.costs() == ["4"]
