"""Months of realistic rows in a CSV file."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

SERVICES = ("Compute", "Object Storage", "Block Storage", "Data Transfer", "Managed Database", "Queues")
COLUMNS = (
    "lineitem/id",
    "lineitem/type",
    "time/usage_start",
    "resource/id",
    "resource/service",
    "resource/account",
    "resource/region",
    "usage/amount",
    "cost/cost",
    "cost/discounted_cost",
    "resource/tag:team",
    "resource/tag:env",
)
#: The number of rows that is sent in 15 requests by default.
BIG = 200_000


@dataclass(frozen=True)
class Month:
    """A month of rows in a file, their total cost, and the arguments that make a task send it in 15 requests."""

    path: Path
    rows: int
    total: Decimal
    sending: dict[str, Any] = field(default_factory=dict)

    def read(self) -> list[dict[str, str]]:
        """Return the rows as CloudZero holds them: no blank cells, no trailing zeros."""
        with self.path.open(newline="") as file:
            return [{name: _plain(name, value) for name, value in row.items() if value} for row in csv.DictReader(file)]


def write_month(path: Path, rows: int = BIG) -> Month:
    """Write March 2026; a row has about 300 bytes as JSON."""
    draw = random.Random(20260301)
    total = Decimal(0)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number in range(rows):
            cost = Decimal(draw.randint(-10_000, 5_000_000)).scaleb(-8)
            total += cost
            writer.writerow(_row(number, cost, draw))
    return Month(path, rows, total, {} if rows == BIG else {"max_body_bytes": 4_500_000 * rows // BIG})


def _row(number: int, cost: Decimal, draw: random.Random) -> list[object]:
    service = draw.choice(SERVICES)
    return [
        f"line-{number:07d}",
        "Discount" if cost < 0 else "Usage",
        f"2026-03-{draw.randint(1, 31):02d}T{draw.randint(0, 23):02d}:00:00Z",
        f"instance/i-{draw.randrange(16**8):08x}",
        service,
        draw.choice(("112233445566", "665544332211")),
        draw.choice(("eu-west-1", "us-east-1", "")),
        draw.randint(1, 744),
        f"{cost:f}",
        f"{cost:f}" if draw.random() < 0.5 else "",
        draw.choice(("search", "checkout", "")),
        "prod",
    ]


def with_a_giant_hour(month: Month, path: Path) -> Month:
    """Write the same month with 18 % of its rows in one hour: they fill three requests."""
    with month.path.open(newline="") as file:
        header, *rows = csv.reader(file)
    start = header.index("time/usage_start")
    for row in rows[: month.rows * 18 // 100]:
        row[start] = "2026-03-10T10:00:00Z"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return Month(path, month.rows, month.total, month.sending)


def in_any_order(rows: Iterable[dict[str, str]]) -> list[str]:
    return sorted(json.dumps(row, sort_keys=True) for row in rows)


def _plain(name: str, value: str) -> str:
    if not name.startswith(("cost/", "usage/amount")) or "." not in value:
        return value
    return value.rstrip("0").rstrip(".")
