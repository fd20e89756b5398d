"""A month's export of a million lines, as a vendor would write it to object storage, and its totals."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import polars as pl

MONTH, DAYS = "2024-09", 30
ROWS = 1_000_000
#: Decimal places of a cost.
SCALE = 14
BY = ["resource/service", "resource/account", "resource/tag:team", "resource/tag:environment"]
SERVICES = [f"Acme {name}" for name in ("Compute", "Database", "Storage", "Network", "Queue", "Search", "Logs", "AI")]
REGIONS = ["eu-north-1", "us-east-1", "us-west-2", "ap-south-1"]
TEAMS = ["checkout", "search", "ads", "platform", "data", None]
ENVIRONMENTS = ["production", "staging", None]
ACCOUNTS = [f"{number:012d}" for number in range(100_000_000_001, 100_000_000_013)]

Group = tuple[str | None, ...]


@dataclass(frozen=True)
class Export:
    """
    The totals of the export, summed with Python's integers.

    :param groups: day and the columns of ``BY`` → cost.
    """

    groups: dict[Group, Decimal]

    @property
    def total(self) -> Decimal:
        return _as_cost(sum(_as_units(cost) for cost in self.groups.values()))


def write_export(path: Path) -> Export:
    """Write the export, which is always the same."""
    frame = _frame()
    priced = frame.with_columns(cost=_with_point(pl.col("units").cast(pl.String)).cast(pl.Decimal(38, SCALE)))
    priced.select(
        pl.col("hour").dt.cast_time_unit("us").dt.replace_time_zone("UTC").alias("time/usage_start"),
        pl.lit("Usage").alias("lineitem/type"),
        pl.format("{} hours of {}", "number", "resource/service").alias("lineitem/description"),
        pl.format("lines/{}", "number").alias("lineitem/id"),
        pl.format("instance/i-{}", (pl.col("number") * 48_271 % 200_003)).alias("resource/id"),
        "resource/service",
        "resource/account",
        pl.col("number").mod(4).replace_strict(dict(enumerate(REGIONS))).alias("resource/region"),
        (pl.col("number") % 997 + 1).alias("usage/amount"),
        pl.lit("hours").alias("usage/units"),
        pl.col("cost").alias("cost/cost"),
        pl.when(pl.col("number") % 10 == 0).then("cost").alias("cost/amortized_cost"),
        "resource/tag:team",
        "resource/tag:environment",
    ).write_parquet(path)
    return _added_up(frame)


def _frame() -> pl.DataFrame:
    """Pseudorandom columns, from a multiplication that never repeats."""
    number = pl.int_range(ROWS, dtype=pl.Int64)
    drawn = pl.DataFrame({"number": pl.select(number).to_series()}).with_columns(
        draw=(pl.col("number") * 2_654_435_761 + 12_345) % 4_294_967_291
    )

    def one_of(values: list[str] | list[str | None], divisor: int) -> pl.Expr:
        return (pl.col("draw") // divisor % len(values)).replace_strict(dict(enumerate(values)), return_dtype=pl.String)

    start = datetime.strptime(MONTH, "%Y-%m")
    return drawn.with_columns(
        # Some are negative, and all places have digits.
        units=(pl.col("draw") * 1_900_000_003 + pl.col("number"))
        * pl.when(pl.col("number") % 50 == 7).then(-1).otherwise(1),
        hour=pl.lit(start) + pl.duration(hours=pl.col("draw") // 7 % (DAYS * 24)),
    ).with_columns(
        one_of(SERVICES, 11).alias("resource/service"),
        one_of(ACCOUNTS, 101).alias("resource/account"),
        one_of(TEAMS, 1_009).alias("resource/tag:team"),
        one_of(ENVIRONMENTS, 10_007).alias("resource/tag:environment"),
    )


def _with_point(digits: pl.Expr) -> pl.Expr:
    """Put the decimal point into integers, as text: polars' division rounds."""
    sign = pl.when(digits.str.starts_with("-")).then(pl.lit("-")).otherwise(pl.lit(""))
    padded = digits.str.strip_prefix("-").str.zfill(SCALE + 1)
    return pl.concat_str(sign, padded.str.head(-SCALE), pl.lit("."), padded.str.tail(SCALE))


def _added_up(frame: pl.DataFrame) -> Export:
    days = frame["hour"].dt.strftime("%Y-%m-%d").to_list()
    keys = zip(days, *(frame[name].to_list() for name in BY), strict=True)
    units: Counter[Group] = Counter()
    for key, cost in zip(keys, frame["units"].to_list(), strict=True):
        units[key] += cost
    return Export({key: _as_cost(cost) for key, cost in units.items()})


def _as_cost(units: int) -> Decimal:
    return Decimal(units).scaleb(-SCALE)


def _as_units(cost: Decimal) -> int:
    return int(cost.scaleb(SCALE))
