"""Numbers of rows and exact costs, in all and by group."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal
from typing import TYPE_CHECKING

import polars as pl

from cloudzero_provider.values.exact_sums import exact_sums_by_each
from cloudzero_provider.values.trailing_zeros import strip_trailing_zeros

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Python rounds the results of Decimals to 28 digits otherwise.
_EXACT = Context(prec=200)


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
        return RowsAndCost(self.rows + other.rows, _EXACT.add(self.amount, other.amount))

    def __sub__(self, other: RowsAndCost) -> RowsAndCost:
        """These without the others."""
        return RowsAndCost(self.rows - other.rows, _EXACT.subtract(self.amount, other.amount))

    @property
    def cost(self) -> str:
        """The sum as a decimal string, without insignificant zeros."""
        return decimal_string(self.amount)


NOTHING = RowsAndCost()


def decimal_string(amount: Decimal) -> str:
    """Return an amount without an exponent and insignificant zeros."""
    return strip_trailing_zeros(format(amount, "f"))


def sum_of(*amounts: str) -> str:
    """Sum decimal strings exactly."""
    total = Decimal(0)
    for amount in amounts:
        total = _EXACT.add(total, Decimal(amount))
    return decimal_string(total)


def difference(after: str, before: str) -> Decimal:
    """Subtract decimal strings exactly."""
    return _EXACT.subtract(Decimal(after), Decimal(before))


def sums_by_each(rows: pl.DataFrame, groupings: Sequence[list[str]]) -> Iterator[dict[tuple[str, ...], RowsAndCost]]:
    """
    Count the rows of each group, and sum their costs.

    :param rows: the columns of the keys, which hold text and no nulls, and ``cost``.
    :param groupings: the keys of each grouping; at most one holds text with NUL characters.
    """
    keyed = [rows.select(pl.concat_str(keys, separator="\0").alias("key"), *keys) for keys in groupings]
    groups = [
        one.group_by("key").agg(pl.len(), pl.col(keys).first()) for one, keys in zip(keyed, groupings, strict=True)
    ]
    numbers = (
        one["key"].replace_strict(found["key"], pl.int_range(found.height, dtype=pl.UInt32, eager=True))
        for one, found in zip(keyed, groups, strict=True)
    )
    for found, keys, costs in zip(groups, groupings, exact_sums_by_each(rows["cost"], numbers), strict=True):
        names = found.select(keys).iter_rows()
        yield {
            name: RowsAndCost(count, Decimal(cost))
            for name, count, cost in zip(names, found["len"], costs, strict=True)
        }
