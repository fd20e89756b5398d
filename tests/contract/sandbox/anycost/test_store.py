from __future__ import annotations

import pytest

EARLY, LATE = "2024-08-01T00:00:00Z", "2024-08-31T23:59:59Z"


@pytest.mark.parametrize("operation", ["replace_drop", "replace_hourly", "sum"])
def test_every_operation_creates_the_month(cloudzero, operation):
    reply = cloudzero.post([cloudzero.row("3")], operation)
    assert reply.json()["connection"]["row_count"] == 1
    assert cloudzero.costs() == ["3"]


def test_replace_drop_is_the_default_and_replaces_the_month_and_no_other(cloudzero):
    cloudzero.post([cloudzero.row("1", EARLY), cloudzero.row("2", LATE)])
    cloudzero.post([cloudzero.row("9", "2024-09-01T00:00:00Z")], month="2024-09")
    cloudzero.post([cloudzero.row("5")], stream=cloudzero.OTHER_STREAM)
    reply = cloudzero.session.post(cloudzero.drops_url(), json={"month": "2024-08", "data": [cloudzero.row("3")]})
    assert reply.json()["connection"]["row_count"] == 1
    assert (cloudzero.costs(), cloudzero.costs("2024-09")) == (["3"], ["9"])
    assert cloudzero.months(cloudzero.OTHER_STREAM)["2024-08"]["total_cost"] == "5"


def test_replace_hourly_replaces_the_hours_of_the_request_and_keeps_the_rest(cloudzero):
    hour = "2024-08-16T13:00:00Z"
    cloudzero.post(
        [
            cloudzero.row("1", EARLY),
            cloudzero.row("2", hour),
            cloudzero.row("3", hour),
            cloudzero.row("4", LATE),
        ]
    )
    reply = cloudzero.post(
        [cloudzero.row("20", "2024-08-16T15:59:59+02:00"), cloudzero.row("30", "2024-08-16T14:00:00Z")],
        "replace_hourly",
    )
    assert reply.json()["connection"]["row_count"] == 4
    assert cloudzero.costs() == ["1", "20", "30", "4"]


def test_replace_hourly_is_repeatable_and_sum_is_not(cloudzero):
    rows = [cloudzero.row("1", EARLY), cloudzero.row("1", EARLY), cloudzero.row("2", LATE)]
    for _ in range(2):
        cloudzero.post(rows, "replace_hourly")
    assert cloudzero.costs() == ["1", "1", "2"]
    cloudzero.post(rows, "sum")
    assert cloudzero.costs() == ["1", "1", "1", "1", "2", "2"]


def test_a_month_keeps_its_drop_until_it_is_emptied(cloudzero):
    ids = [
        cloudzero.post([cloudzero.row()], operation).json()["connection"]["drop_id"]
        for operation in ("sum", "replace_drop", "replace_hourly")
    ]
    cloudzero.post([])
    ids.append(cloudzero.post([cloudzero.row()]).json()["connection"]["drop_id"])
    assert ids[0] == ids[1] == ids[2] != ids[3]
    assert cloudzero.months()["2024-08"]["drop_ids"] == [ids[0], ids[3]]


def test_a_drop_without_rows_clears_the_month_with_replace_drop_only(cloudzero):
    cloudzero.post([cloudzero.row("4")])
    for operation in ("sum", "replace_hourly"):
        assert cloudzero.post([], operation).json()["connection"]["row_count"] == 1
    assert cloudzero.costs() == ["4"]
    assert cloudzero.post([]).json()["connection"]["row_count"] == 0
    assert cloudzero.costs() is None
    assert cloudzero.list_drops().json() == {"billing_drops": []}


@pytest.mark.parametrize(("value", "status"), [("ignored", 200), ("refused", 400)])
def test_whether_a_drop_without_rows_is_accepted_is_a_setting(cloudzero, value, status):
    cloudzero.post([cloudzero.row("4")])
    cloudzero.set(empty_data=value)
    assert [cloudzero.post([], operation).status_code for operation in ("replace_drop", "sum")] == [
        status,
        status,
    ]
    assert cloudzero.costs() == ["4"]


def test_the_row_limit_holds_for_the_month_after_the_operation(cloudzero):
    cloudzero.set(month_row_limit=3)
    two = [cloudzero.row("1"), cloudzero.row("2")]
    assert cloudzero.post(two, "sum").status_code == 200
    refused = cloudzero.post(two, "sum")
    assert (refused.status_code, refused.json()["error"]["type"]) == (400, "MonthLimitExceeded")
    assert cloudzero.costs() == ["1", "2"]
    assert cloudzero.post([*two, cloudzero.row("3")], "replace_hourly").status_code == 200
    assert cloudzero.post([*two, cloudzero.row("3"), cloudzero.row("4")]).status_code == 400
    assert cloudzero.costs() == ["1", "2", "3"]


def test_the_byte_limit_counts_the_rows_as_compact_json(cloudzero):
    size = len('{"cost/cost":"1","time/usage_start":"2024-08-16T13:00:00Z"}')
    cloudzero.set(month_byte_limit=2 * size)
    assert cloudzero.post([cloudzero.row(), cloudzero.row()]).status_code == 200
    assert cloudzero.months()["2024-08"]["bytes"] == 2 * size
    assert cloudzero.post([cloudzero.row()], "sum").status_code == 400
    assert cloudzero.post([cloudzero.row(), cloudzero.row("10")]).status_code == 400
    assert cloudzero.costs() == ["1", "1"]


def test_a_million_rows_is_the_default_limit(cloudzero):
    settings = cloudzero.own("GET", "settings").json()["settings"]
    assert (settings["month_row_limit"], settings["month_byte_limit"]) == (1_000_000, 70_000_000)
