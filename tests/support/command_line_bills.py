"""The bills that docs/cli.md shows: a good one, one with three kinds of mistakes, and a FOCUS export."""

from __future__ import annotations

import csv
import json
import random
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from acme_bill import COLUMNS, month_rows

MONTH = "2026-03"
_SERVICES = ("Compute", "Object Storage", "Database", "Network")


def write_acme_bill(folder: Path) -> Path:
    """The bill of the example DAGs."""
    return _write(folder / "acme-2026-03.csv", month_rows(MONTH))


def write_bill_with_mistakes(folder: Path) -> Path:
    """The same bill with a currency sign, a row of another month and a type that CloudZero does not know."""
    rows = month_rows(MONTH)
    for number in range(40, 340, 25):
        rows[number]["cost/cost"] = f"${rows[number]['cost/cost']}"
    for number in range(3):
        rows[-2 - number]["time/usage_start"] = f"2026-04-01T{6 * number:02d}:00:00Z"
    rows[1]["lineitem/type"] = "Usages"
    return _write(folder / "mistakes.csv", rows)


def write_focus_export(folder: Path) -> Path:
    """A small export in the columns of FOCUS 1.0, with a correction of the month before."""
    draw = random.Random(20260301)
    rows = [_charge(number, draw) for number in range(600)]
    path = folder / "focus-2026-03.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def _charge(number: int, draw: random.Random) -> dict[str, Any]:
    start = datetime(2026, 3, 1) + timedelta(hours=draw.randrange(31 * 24))
    if number == 17:
        start = datetime(2026, 2, 27, 9)
    weekday = Decimal("0.6") if start.weekday() >= 5 else Decimal(1)
    cost = (Decimal(draw.randint(10**5, 10**7)).scaleb(-6) * weekday).quantize(Decimal("0.000001"))
    credit = number % 50 == 49
    return {
        "BilledCost": -cost if credit else cost,
        "BillingAccountId": "1234567890123",
        "BillingCurrency": "USD",
        "BillingPeriodStart": "2026-03-01T00:00:00Z",
        "BillingPeriodEnd": "2026-04-01T00:00:00Z",
        "ChargeCategory": "Credit" if credit else "Usage",
        "ChargePeriodStart": f"{start:%Y-%m-%dT%H:%M:%SZ}",
        "ChargePeriodEnd": f"{start + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
        "EffectiveCost": -cost if credit else (cost * Decimal("0.9")).quantize(Decimal("0.000001")),
        "ListCost": cost * 2,
        "ProviderName": "AWS",
        "RegionId": "us-west-2",
        "ResourceId": "" if credit else f"i-{number % 40:04d}",
        "ResourceType": "" if credit else "Instance",
        "ServiceCategory": "Compute",
        "ServiceName": draw.choice(_SERVICES),
        "SubAccountId": "51738928782",
        "Tags": "" if credit else json.dumps({"team": draw.choice(("search", "checkout")), "cost center": "7"}),
    }


def _write(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path
