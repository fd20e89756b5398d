"""Records for tests of telemetry."""

from __future__ import annotations

from typing import Any


def many_records(count: int = 100_000) -> list[dict[str, Any]]:
    """Allocation records of March 2026, each with a day and an element of its own."""
    return [
        {"timestamp": f"2026-03-{n % 31 + 1:02d}", "element_name": f"team-{n // 31}", "value": n % 997 + 0.25}
        for n in range(count)
    ]
