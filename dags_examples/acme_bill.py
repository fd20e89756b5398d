"""
The bill of an invented vendor, which the examples send.

Acme Cloud bills every resource each six hours, gives a discount per account and day, a credit on the first day of a
month, and adds the tax on the last. The same month always returns the same rows, in the columns of CloudZero's Common
Bill Format. Replace it with your own vendor's bill.
"""

from __future__ import annotations

import csv
import os
import tempfile
import zlib
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

Row = dict[str, str]

COLUMNS = (
    "lineitem/type",
    "lineitem/description",
    "time/usage_start",
    "resource/id",
    "resource/service",
    "resource/account",
    "resource/region",
    "usage/amount",
    "usage/units",
    "cost/cost",
    "resource/tag:team",
    "resource/tag:environment",
)
DAY = timedelta(days=1)
BILLED_EACH = timedelta(hours=6)
DISCOUNT = Decimal("0.07")
CREDIT = Decimal("250.00")
TAX = Decimal("0.19")
MICRO = Decimal("0.000001")


@dataclass(frozen=True)
class Product:
    """What Acme Cloud sells, and how much of it is used in six hours on a usual day."""

    service: str
    kind: str
    units: str
    price: Decimal
    usage: Decimal


@dataclass(frozen=True)
class Team:
    """Who uses it: each team has an account per environment."""

    name: str
    region: str
    share: Decimal


PRODUCTS = (
    Product("Acme Compute", "vm", "vm-hours", Decimal("0.0416"), Decimal(48)),
    Product("Acme Database", "db", "db-hours", Decimal("0.1370"), Decimal(12)),
    Product("Acme Storage", "bucket", "gb-hours", Decimal("0.0000315"), Decimal(42_000)),
    Product("Acme Network", "egress", "gb", Decimal("0.0850"), Decimal("37.5")),
)
TEAMS = (
    Team("checkout", "eu-north", Decimal("1.0")),
    Team("search", "eu-north", Decimal("0.6")),
    Team("ads", "us-east", Decimal("1.4")),
)
ENVIRONMENTS = {"production": Decimal(1), "staging": Decimal("0.15")}


def month_rows(month: str, until: datetime | None = None) -> list[Row]:
    """
    Give the bill of a month.

    :param month: like ``2026-03``.
    :param until: for a month to date: only what began before this moment.
    """
    start = datetime.strptime(month, "%Y-%m").replace(tzinfo=timezone.utc)
    end = (start + 31 * DAY).replace(day=1)
    stop = min(until or end, end)
    rows = [_line(start, -CREDIT, "Credit", "Loyalty credit")]
    day = start
    while day < stop:
        rows.extend(_day_rows(day, stop))
        day += DAY
    if stop == end:
        billed = sum(Decimal(row["cost/cost"]) for row in rows)
        rows.append(_line(end - DAY, _money(billed * TAX), "Tax", "Sales tax, 19%"))
    return rows


def write_bill(rows: Iterable[Row], name: str) -> str:
    """
    Write a bill into a CSV file and return its path.

    :param rows: the lines of the bill.
    :param name: of the file.
    """
    return write_csv(rows, name, COLUMNS)


def write_csv(rows: Iterable[Mapping[str, object]], name: str, columns: Sequence[str]) -> str:
    """
    Write rows into a CSV file, whole or not at all, and return its path.

    :param rows: column → value.
    :param name: of the file.
    :param columns: in their order.
    """
    path = bill_folder() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, newline="", encoding="utf-8", delete=False) as stream:
        writer = csv.DictWriter(stream, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
    Path(stream.name).replace(path)
    return str(path)


def bill_folder() -> Path:
    """Where the examples write files: ``ACME_BILL_FOLDER``, or the folder for temporary files."""
    return Path(os.environ.get("ACME_BILL_FOLDER") or tempfile.gettempdir())


def _day_rows(day: datetime, stop: datetime) -> Iterator[Row]:
    billed: dict[str, Decimal] = defaultdict(Decimal)
    for team in TEAMS:
        for environment in ENVIRONMENTS:
            for product in PRODUCTS:
                for row in _usage_rows(day, stop, team, environment, product):
                    billed[row["resource/account"]] += Decimal(row["cost/cost"])
                    yield row
    for account, cost in billed.items():
        yield _line(day, _money(-cost * DISCOUNT), "Discount", "Volume discount, 7%", {"resource/account": account})


def _usage_rows(day: datetime, stop: datetime, team: Team, environment: str, product: Product) -> Iterator[Row]:
    resource = f"{product.kind}/{team.name}-{environment}"
    moment = day
    while moment < min(day + DAY, stop):
        usage = product.usage * team.share * ENVIRONMENTS[environment] * _busy(moment, resource)
        yield _line(
            moment,
            _money(usage * product.price),
            "Usage",
            product.service,
            {
                "resource/id": resource,
                "resource/service": product.service,
                "resource/account": f"{team.name}-{environment}",
                "resource/region": team.region,
                "usage/amount": str(usage.quantize(MICRO)),
                "usage/units": product.units,
                "resource/tag:team": team.name,
                "resource/tag:environment": environment,
            },
        )
        moment += BILLED_EACH


def _busy(moment: datetime, resource: str) -> Decimal:
    """Say how busy a resource is, against a usual day: less at night and on weekends, and chance that never changes."""
    weekend = Decimal("0.7") if moment.weekday() >= 5 else Decimal(1)
    night = Decimal("0.8") if moment.hour < 6 else Decimal(1)
    chance = Decimal(zlib.crc32(f"{resource} {moment:%Y-%m-%dT%H}".encode()) % 4000) / 10_000
    return weekend * night * (Decimal("0.8") + chance)


def _line(moment: datetime, cost: Decimal, kind: str, description: str, more: Row | None = None) -> Row:
    return {
        "lineitem/type": kind,
        "lineitem/description": description,
        "time/usage_start": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        "cost/cost": str(cost),
        **(more or {}),
    }


def _money(cost: Decimal) -> Decimal:
    return cost.quantize(MICRO)
