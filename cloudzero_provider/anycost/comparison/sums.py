"""Numbers of rows and exact costs, in all and by group."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl

from cloudzero_provider.anycost.comparison.encoding import SEPARATOR
from cloudzero_provider.values.decimal_strings import EXACT, decimal_string
from cloudzero_provider.values.exact_sums import exact_sums_by_each

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True)
class RowsAndCost:
    """
    Some rows.

    :param rows: how many.
    :param amount: the exact sum of their ``cost/cost``.
    """

    rows: int = 0
    amount: Decimal = Decimal(0)

    def __add__(self, other: RowsAndCost) -> RowsAndCost:
        """Both together."""
        return RowsAndCost(self.rows + other.rows, EXACT.add(self.amount, other.amount))

    def __sub__(self, other: RowsAndCost) -> RowsAndCost:
        """These without the others."""
        return RowsAndCost(self.rows - other.rows, EXACT.subtract(self.amount, other.amount))

    @property
    def cost(self) -> str:
        """The sum as a decimal string, without insignificant zeros."""
        return decimal_string(self.amount)


NOTHING = RowsAndCost()


def sums_by_each(rows: pl.DataFrame, groupings: Sequence[list[str]]) -> Iterator[dict[tuple[str, ...], RowsAndCost]]:
    """
    Count the rows of each group, and sum their costs.

    :param rows: the columns of the keys, which hold text and no nulls, and ``cost``.
    :param groupings: the keys of each grouping; at most one holds text with NUL characters.
    """
    grouped = [_grouped(rows, keys) for keys in groupings]
    sums = exact_sums_by_each(rows["cost"], (numbers for _, numbers in grouped))
    for (groups, _), costs in zip(grouped, sums, strict=True):
        yield {
            tuple(keys): RowsAndCost(count, Decimal(cost))
            for count, *keys, cost in groups.with_columns(cost=costs).iter_rows()
        }


def _grouped(rows: pl.DataFrame, keys: list[str]) -> tuple[pl.DataFrame, pl.Series]:
    """Return the number of rows and the keys of each group, and the number of each row's group."""
    keyed = rows.select(pl.concat_str(keys, separator=SEPARATOR).alias("key"), *keys)
    groups = keyed.group_by("key").agg(pl.len(), pl.col(keys).first())
    numbers = keyed["key"].replace_strict(groups["key"], pl.int_range(groups.height, dtype=pl.UInt32))
    return groups.drop("key"), numbers
