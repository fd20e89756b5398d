"""Records for tests of telemetry."""

from __future__ import annotations

from typing import Any


def allocation(day: int = 1, element: str = "Email", value: Any = 1, **others: Any) -> dict[str, Any]:
    return {"timestamp": f"2026-03-{day:02d}", "element_name": element, "value": value, **others}


def metric(day: int = 1, value: Any = 1, **others: Any) -> dict[str, Any]:
    return {"timestamp": f"2026-03-{day:02d}", "value": value, **others}


def many_records(count: int = 100_000) -> list[dict[str, Any]]:
    """Allocation records of March 2026, each of another day and element."""
    return [allocation(n % 31 + 1, f"team-{n // 31}", n % 997 + 0.25) for n in range(count)]
