"""
What an invented shop measures, day by day: orders per team, and writes to its database per product.

The same day always returns the same numbers. Replace them with your own measurements.
"""

from __future__ import annotations

import zlib
from datetime import date, timedelta

ORDERS = {"checkout": 9_000, "search": 2_500, "ads": 700}
WRITES = {"Shop": 1_200_000, "Messaging": 450_000, "Reports": 80_000}


def orders(day: date) -> dict[str, int]:
    """Team → orders it had a part in, on a day (``date`` or ``datetime``)."""
    return {team: _measured(usual, "orders", team, day) for team, usual in ORDERS.items()}


def database_writes(day: date) -> dict[str, int]:
    """Product → writes to the shared database on a day. Nobody asks for reports on a Sunday."""
    writes = {product: _measured(usual, "writes", product, day) for product, usual in WRITES.items()}
    return {**writes, "Reports": 0} if day.isoweekday() == 7 else writes


def days(month: str) -> list[date]:
    """Every day of a month like ``2026-03``."""
    first = date.fromisoformat(f"{month}-01")
    each = (first + timedelta(days=number) for number in range(31))
    return [day for day in each if day.month == first.month]


def _measured(usual: int, what: str, who: str, day: date) -> int:
    """Between 80 and 120 % of what is usual: chance that never changes."""
    chance = zlib.crc32(f"{what} {who} {day:%Y-%m-%d}".encode()) % 4001
    return usual * (8_000 + chance) // 10_000
