"""Rows for tests."""

from __future__ import annotations

from typing import Any

from cloudzero_provider import sources
from cloudzero_provider.anycost.checks import CheckedRows, check_rows
from cloudzero_provider.months import Month

MARCH = Month(2026, 3)


def row(**changes: Any) -> dict[str, Any]:
    """A valid row. In keywords, ``__`` stands for a column's ``/``, and ``None`` removes a column."""
    good = {"time/usage_start": "2026-03-16T13:00:00Z", "cost/cost": "12", "lineitem/type": "Usage"}
    changed = good | {name.replace("__", "/"): value for name, value in changes.items()}
    return {name: value for name, value in changed.items() if value is not None}


def bill_row(day: int = 1, hour: int = 0, cost: str = "1", **others: Any) -> dict[str, Any]:
    """A row of March 2026 with the required columns only."""
    return {"time/usage_start": f"2026-03-{day:02d}T{hour:02d}:00:00Z", "cost/cost": cost, **others}


def checked(rows: list[dict[str, Any]], **options: Any) -> CheckedRows:
    return check_rows(sources.from_records(rows), MARCH, **options)
