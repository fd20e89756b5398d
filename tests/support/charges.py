"""FOCUS charges for tests."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from cloudzero_provider.anycost.checks import CheckedRows, check_rows
from cloudzero_provider.anycost.focus import to_cbf
from cloudzero_provider.exceptions import InvalidRowsError, Problem
from cloudzero_provider.months import Month
from cloudzero_provider.sources import Rows
from cloudzero_provider.values.row_places import row_number

SEPTEMBER = Month(2024, 9)
GOOD = {
    "BilledCost": "1.50",
    "EffectiveCost": "1.25",
    "BillingCurrency": "USD",
    "BillingPeriodStart": "2024-09-01 00:00:00",
    "ChargePeriodStart": "2024-09-18 22:00:00",
    "ChargeCategory": "Usage",
}


def charge(**changes: str | None) -> dict[str, str | None]:
    return GOOD | changes


def frame_of(*charges: dict[str, Any]) -> pl.DataFrame:
    names = dict.fromkeys(name for one in charges for name in one)
    return pl.DataFrame({name: pl.Series([one.get(name) for one in charges], dtype=pl.String) for name in names})


def converted(*charges: dict[str, Any], **options: Any) -> list[dict[str, Any]]:
    """The CBF rows of charges, without blank values."""
    rows = to_cbf(frame_of(*charges), **options).rows(named=True)
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


def problems_of(*charges: dict[str, Any], **options: Any) -> tuple[Problem, ...]:
    with pytest.raises(InvalidRowsError) as caught:
        to_cbf(frame_of(*charges), **options)
    assert caught.value.total == len(caught.value.problems)
    return caught.value.problems


def problem_of(*charges: dict[str, Any], **options: Any) -> Problem:
    [problem] = problems_of(*charges, **options)
    return problem


def check(frame: pl.DataFrame, month: Month = SEPTEMBER) -> CheckedRows:
    """Check a frame against all rules of CBF."""
    columns = {name: frame[name] if frame[name].dtype == pl.String else frame[name].to_list() for name in frame.columns}
    return check_rows(Rows(columns, frame.height, row_number), month)
