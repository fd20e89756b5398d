from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing

import pytest

from cloudzero_provider.sandbox.anycost.totals import sorted_lines


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


@pytest.mark.parametrize("most", [1, 5, 6, 7])
def test_lines_are_sorted_alike_in_memory_and_in_a_file(most):
    lines = [b"b", "é".encode(), b"a\0", b"a", b"b", b"\xff"]
    with closing(sqlite3.connect(":memory:")) as database:
        for _ in range(2):
            assert list(sorted_lines(iter(lines), database, most)) == sorted(lines)
