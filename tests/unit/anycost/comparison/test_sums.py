from __future__ import annotations

from decimal import Decimal

import polars as pl

from cloudzero_provider.anycost.comparison.sums import RowsAndCost, sums_by_each


def test_groups_of_several_keys_are_not_confused():
    rows = pl.DataFrame(
        {"day": ["a", "ab", "a", "ab"], "value": ["bc", "c", "bc", "\0c"], "cost": ["1", "20", "0.50", None]}
    )
    by_day, by_both = sums_by_each(rows, [["day"], ["day", "value"]])
    assert by_day == {("a",): RowsAndCost(2, Decimal("1.5")), ("ab",): RowsAndCost(2, Decimal(20))}
    assert by_both == {
        ("a", "bc"): RowsAndCost(2, Decimal("1.5")),
        ("ab", "c"): RowsAndCost(1, Decimal(20)),
        ("ab", "\0c"): RowsAndCost(1, Decimal(0)),
    }
