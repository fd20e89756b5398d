from __future__ import annotations

import time

import pytest


@pytest.mark.parametrize(("month", "status"), [("2024-07", 404), ("2024-8", 400), ("2024-08-01T00:00:00Z", 200)])
def test_reading_a_month(cloudzero, month, status):
    cloudzero.post([cloudzero.row()])
    reply = cloudzero.read(month)
    assert reply.status_code == status
    if status != 200:
        assert sorted(reply.json()["error"]) == ["message", "type"]


def test_a_large_month_is_read_back_row_by_row(cloudzero):
    rows = [
        cloudzero.row(str(number), f"2024-08-{1 + number % 31:02}T{number % 24:02}:00:00Z", **{"resource/id": "é" * 9})
        for number in range(20_000)
    ]
    assert cloudzero.post(rows, "sum").status_code == 200
    reply = cloudzero.read()
    assert sorted(map(str, reply.json()["billing_drop"])) == sorted(
        map(
            str,
            (
                {
                    "cost/cost": row["cost/cost"],
                    "resource/id": row["resource/id"],
                    "time/usage_start": row["time/usage_start"],
                }
                for row in rows
            ),
        )
    )
    assert int(reply.headers["Content-Length"]) == len(reply.content) > 256 * 1024


def test_the_row_count_of_the_last_request_lags_too(cloudzero):
    cloudzero.set(row_count_means="request", read_lag_seconds=0.6)
    cloudzero.post([cloudzero.row(), cloudzero.row()])
    cloudzero.wait_for(lambda: cloudzero.listed_row_counts() == {"2024-08": 2})
    cloudzero.post([cloudzero.row()], "sum")
    assert cloudzero.listed_row_counts() == {"2024-08": 2}
    cloudzero.wait_for(lambda: cloudzero.listed_row_counts() == {"2024-08": 1})


def test_reads_lag_behind_by_the_setting(cloudzero):
    cloudzero.set(read_lag_seconds=0.6)
    cloudzero.post([cloudzero.row("1")])
    assert cloudzero.costs() is None
    assert cloudzero.list_drops().json() == {"billing_drops": []}
    cloudzero.wait_for(lambda: cloudzero.costs() == ["1"])
    cloudzero.post([cloudzero.row("2"), cloudzero.row("3")])
    assert cloudzero.costs() == ["1"]
    assert cloudzero.months()["2024-08"]["rows"] == 2, "the state is never late"
    cloudzero.wait_for(lambda: cloudzero.costs() == ["2", "3"])
    cloudzero.post([])
    assert cloudzero.list_drops().json()["billing_drops"][0]["row_count"] == 2
    cloudzero.wait_for(lambda: cloudzero.costs() is None)
    cloudzero.set(read_lag_seconds=0)
    time.sleep(0)
    cloudzero.post([cloudzero.row("4")])
    assert cloudzero.costs() == ["4"]
