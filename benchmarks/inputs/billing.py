"""Billing rows of a month."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from benchmarks.inputs.columns import HOURS, Column, Kind, Row

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

TWO_COLUMNS = (Column("time/usage_start", Kind.TIME), Column("cost/cost", Kind.DECIMAL, scale=6))
REAL_COLUMNS = (
    Column("lineitem/type"),
    Column("lineitem/description"),
    Column("time/usage_start", Kind.TIME),
    Column("resource/id"),
    Column("resource/service"),
    Column("resource/account"),
    Column("resource/region"),
    Column("usage/amount", Kind.DECIMAL, scale=6),
    Column("cost/cost", Kind.DECIMAL, scale=11),
    Column("cost/amortized_cost", Kind.DECIMAL, scale=11),
    Column("resource/tag:team"),
    Column("resource/tag:environment"),
    Column("resource/tag:application"),
    Column("resource/tag:cost-center"),
)

_SERVICES = [f"Acme {name}" for name in ("Compute", "Database", "Storage", "Network", "Queue", "Search", "Logs", "AI")]
_ACCOUNTS = [f"{number:012d}" for number in range(271_828_182_801, 271_828_182_841)]
_REGIONS = ["eu-north-1", "us-east-1", "us-west-2", "ap-south-1", "sa-east-1", "eu-central-1"]
_SIZES = ["small", "medium", "large", "xlarge", "2xlarge"]
_TYPES = ["Usage"] * 30 + ["Discount", "Credit", "Tax", "Fee"]
_TEAMS = ["checkout", "search", "ads", "platform", "data", "São Paulo"]
_ENVIRONMENTS = ["production", "staging", "development"]
_APPLICATIONS = [f"app-{number:03d}" for number in range(120)]
_COST_CENTERS = [f"CC {number}" for number in range(4_000, 4_060)]
#: How many resources the real rows are of.
_RESOURCES = 60_000


def two_columns(rows: int, draw: random.Random) -> Iterator[Row]:
    """Draw rows of an hour and a cost of up to seven digits, evenly over the hours."""
    for _ in range(rows):
        yield draw.choice(HOURS), Decimal(draw.randrange(1, 10_000_000)).scaleb(-6)


def real_rows(rows: int, draw: random.Random) -> Iterator[Row]:
    """Draw rows as a cloud bills them: a third of the cells is empty, and few texts are many."""
    for _ in range(rows):
        number = draw.randrange(_RESOURCES)
        service, region = _SERVICES[number % 8], _REGIONS[number % 6]
        size = _SIZES[number % 5]
        kind = draw.choice(_TYPES)
        cost = Decimal(draw.randrange(1, 2_000_000_000)).scaleb(-11) * (-1 if kind in ("Discount", "Credit") else 1)
        tagged = draw.random() < 0.55
        yield (
            kind,
            _maybe(draw, 0.4, f'$0.0{number % 900} per {service} hour, "{size}"'),
            draw.choice(HOURS),
            f"arn:acme:{region}:{_ACCOUNTS[number % 40]}:i-{number * 48_271:012x}" if tagged else None,
            _maybe(draw, 0.95, service),
            _maybe(draw, 0.95, _ACCOUNTS[number % 40]),
            _maybe(draw, 0.7, region),
            _maybe(draw, 0.6, Decimal(draw.randrange(1, 10**9)).scaleb(-6)),
            cost,
            _maybe(draw, 0.45, cost),
            # A row without a resource can't have tags.
            _maybe(draw, 0.9 * tagged, draw.choice(_TEAMS)),
            _maybe(draw, 0.8 * tagged, draw.choice(_ENVIRONMENTS)),
            _maybe(draw, 0.6 * tagged, draw.choice(_APPLICATIONS)),
            _maybe(draw, 0.5 * tagged, draw.choice(_COST_CENTERS)),
        )


def _maybe(draw: random.Random, share: float, value: str | Decimal) -> str | Decimal | None:
    return value if draw.random() < share else None
