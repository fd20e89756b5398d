"""Small bills with all values that a format could lose, in CBF columns and in FOCUS columns."""

from __future__ import annotations

import csv
import random
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

from support.formats import Row

MONTH = "2024-09"
_HOURS = 30 * 24
SERVICES = ("Compute", "Object Storage", "Données, réseau", 'the "best" database', "キュー")
#: The types of those columns of a FOCUS file that are not text.
FOCUS_NUMBERS = (
    "BilledCost",
    "EffectiveCost",
    "ListCost",
    "ContractedCost",
    "ConsumedQuantity",
    "PricingQuantity",
)
FOCUS_TIMES = ("ChargePeriodStart", "ChargePeriodEnd", "BillingPeriodStart", "BillingPeriodEnd")


def cbf_bill(rows: int = 150, seed: int = 20240901) -> list[Row]:
    """A month in CBF columns. Its numbers have at most 15 digits, so floats hold them."""
    draw = random.Random(seed)
    return [_cbf_row(number, draw) for number in range(rows)]


def _cbf_row(number: int, draw: random.Random) -> Row:
    cost = Decimal(draw.randint(-(10**11), 10**15 - 1)).scaleb(-draw.randint(6, 15))
    filled = number == 0
    return {
        "time/usage_start": datetime(2024, 9, 1, tzinfo=timezone.utc) + timedelta(hours=draw.randrange(_HOURS)),
        "lineitem/type": "Discount" if cost < 0 else "Usage",
        "lineitem/description": None
        if number % 7 == 3
        else f"line {number}\nof a bill, with 'quotes' and {{{{ braces }}}}",
        "resource/id": f"instance/i-{draw.randrange(16**8):08x}",
        "resource/service": draw.choice(SERVICES),
        "resource/account": "001122334455",
        "usage/amount": Decimal(draw.randint(0, 10**6)).scaleb(-3) if filled or number % 3 else None,
        "cost/cost": cost if number % 11 != 5 else Decimal(0),
        "cost/amortized_cost": Decimal(draw.randint(0, 10**9)).scaleb(-12) if filled or number % 4 == 1 else None,
        "resource/tag:team": "search" if filled else draw.choice(("search", "check-out", None)),
    }


def with_long_numbers(rows: list[Row]) -> list[Row]:
    """The same bill with costs of 18 digits, which no float holds."""
    return [{**row, "cost/cost": row["cost/cost"] + Decimal("1000000.000000000000000001")} for row in rows]


def focus_bill(rows: int = 150, seed: int = 20240902) -> list[Row]:
    """A month in FOCUS columns; times have no zone."""
    draw = random.Random(seed)
    return [_focus_row(number, draw) for number in range(rows)]


def _focus_row(number: int, draw: random.Random) -> Row:
    start = datetime(2024, 9, 1) + timedelta(hours=draw.randrange(_HOURS))
    cost = Decimal(draw.randint(0, 10**9)).scaleb(-11)
    filled = number == 0
    category = "Usage" if filled else draw.choice(("Usage", "Usage", "Tax", "Credit", "Purchase", "Adjustment"))
    sign = -1 if category == "Credit" else 1
    has_resource = filled or category == "Usage"
    tags = {"application": draw.choice(("Bright Lens", "マップ")), "cost center": str(number % 3)}
    return {
        "BilledCost": sign * cost,
        "BillingAccountId": "1234567890123",
        "BillingCurrency": "USD",
        "BillingPeriodEnd": datetime(2024, 10, 1),
        "BillingPeriodStart": datetime(2024, 9, 1),
        "ChargeCategory": category,
        "ChargeDescription": f"$0.008 per unit, or part of it, {number}",
        "ChargeFrequency": "Usage-Based",
        "ChargePeriodEnd": start + timedelta(hours=1),
        "ChargePeriodStart": start,
        "ConsumedQuantity": Decimal(draw.randint(0, 10**6)).scaleb(-4) if has_resource else None,
        "ConsumedUnit": "Hours" if has_resource else None,
        "EffectiveCost": Decimal(0) if number % 5 == 1 else sign * cost,
        "ListCost": sign * cost * 2,
        "ProviderName": "AWS",
        "RegionId": "us-west-2" if filled or number % 2 else None,
        "ResourceId": f"arn:aws:ec2:us-west-2:51738928782:instance/i-{number % 40:04d}" if has_resource else None,
        "ResourceType": "Instance" if has_resource else None,
        "ServiceCategory": "Compute",
        "ServiceName": draw.choice(SERVICES),
        "SubAccountId": "51738928782" if filled or number % 6 else None,
        "SubAccountName": "Atlas Nimbus" if filled or number % 6 else None,
        "Tags": _json(tags) if filled or (has_resource and number % 40 % 3) else None,
    }


def _json(tags: dict[str, str]) -> str:
    return "{" + ", ".join(f'"{key}": "{value}"' for key, value in tags.items()) + "}"


def read_focus(path: Path) -> list[Row]:
    """Rows of a FOCUS file as a typed source returns them: numbers, times, and None for ``NULL``."""
    with path.open(newline="", encoding="utf-8") as file:
        return [{name: _typed(name, value) for name, value in row.items()} for row in csv.DictReader(file)]


def _typed(name: str, value: str) -> object:
    if value in ("", "NULL"):
        return None
    if name in FOCUS_NUMBERS:
        return Decimal(value)
    return datetime.fromisoformat(value) if name in FOCUS_TIMES else value
