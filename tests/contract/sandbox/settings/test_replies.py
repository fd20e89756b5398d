"""AnyCost's successful replies, set to each possibility."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(("form", "shown"), [("number", {"row_count": 2}), ("text", {"row_count": "2"})])
@pytest.mark.parametrize("success_body", ["documented", "other_wrapper"])
def test_the_form_of_a_row_count(cloudzero, form, shown, success_body):
    cloudzero.set(row_count_form=form, success_body=success_body)
    [sent] = cloudzero.post([cloudzero.row(), cloudzero.row()]).json().values()
    listed = cloudzero.list_drops().json()["billing_drops"]
    assert [sent["row_count"], listed[0]["row_count"]] == [shown["row_count"]] * 2


@pytest.mark.parametrize(("form", "shown"), [("null", {"row_count": None}), ("missing", {})])
def test_a_row_count_that_is_null_or_missing(cloudzero, form, shown):
    cloudzero.set(row_count_form=form)
    sent = cloudzero.post([cloudzero.row()]).json()["connection"]
    assert {name: value for name, value in sent.items() if name == "row_count"} == shown
    assert cloudzero.list_drops().json()["billing_drops"] == [sent]


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
def test_unexpected_bodies_of_an_accepted_drop(cloudzero, body, text, content_type):
    cloudzero.set(success_body=body, success_status=203)
    reply = cloudzero.post([cloudzero.row()])
    assert (reply.status_code, reply.text, reply.headers["Content-Type"]) == (203, text, content_type)
    assert cloudzero.costs() == ["1"]


def test_nested_wrappers(cloudzero):
    cloudzero.set(list_wrapper="nested", contents_wrapper="nested")
    drop = cloudzero.post([cloudzero.row()]).json()["connection"]
    assert cloudzero.list_drops().json() == {"result": {"billing_drops": [drop]}}
    assert cloudzero.read().json() == {"result": {"billing_drop": [cloudzero.row()]}}


@pytest.mark.parametrize("wrapper", ["billing_drop", "data", "none", "nested"])
def test_numbers_in_rows_that_are_read_can_be_json_numbers(cloudzero, wrapper):
    row = cloudzero.row("-0.10", **{"usage/amount": "12", "resource/id": "7", "cost/amortized_cost": "007"})
    cloudzero.post([row, cloudzero.row("3", **{"lineitem/description": '"cost/cost":"5"'})])
    cloudzero.set(contents_wrapper=wrapper, contents_numbers="number")
    text = cloudzero.read().text
    for part in ('"cost/cost":-0.10', '"usage/amount":12', '"resource/id":"7"', '"cost/amortized_cost":"007"'):
        assert part in text
    assert '\\"cost/cost\\":\\"5\\"' in text
    assert cloudzero.read().json()


def test_row_count_means(cloudzero):
    counts = []
    for meaning in ("month", "request"):
        cloudzero.set(row_count_means=meaning)
        counts.append(cloudzero.post([cloudzero.row()], "sum").json()["connection"]["row_count"])
    cloudzero.set(row_count_means="month")
    counts.append(cloudzero.post([cloudzero.row()], "sum").json()["connection"]["row_count"])
    assert counts == [1, 1, 3]


def test_row_count_means_in_the_list_of_drops(cloudzero):
    first, second = "2024-08-16T13:00:00Z", "2024-08-16T14:00:00Z"
    cloudzero.post([cloudzero.row(hour=first), cloudzero.row(hour=second), cloudzero.row(hour=second)])
    cloudzero.post([cloudzero.row(), cloudzero.row(hour=second)], "sum")
    cloudzero.post([cloudzero.row(hour="2024-09-01T00:00:00Z")], month="2024-09")
    for meaning, counts in (("month", (5, 1)), ("request", (2, 1))):
        cloudzero.set(row_count_means=meaning)
        assert cloudzero.listed_row_counts() == {"2024-08": counts[0], "2024-09": counts[1]}
    cloudzero.post([cloudzero.row(hour=second)], "replace_hourly")
    assert cloudzero.listed_row_counts()["2024-08"] == 1
    cloudzero.set(row_count_means="month")
    assert cloudzero.listed_row_counts()["2024-08"] == 3


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
    assert cloudzero.list_drops().json()[0]["month"] == "2024-08"
    assert cloudzero.read().json() == {"data": [cloudzero.row()]}
