"""Numbers of rows and exact costs, in all and by group."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal
from typing import TYPE_CHECKING

from cloudzero_provider.values.exact_sums import exact_sums
from cloudzero_provider.values.trailing_zeros import strip_trailing_zeros

if TYPE_CHECKING:
    import polars as pl

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
    return strip_trailing_zeros(format(amount, "f")) if amount else "0"


def sum_of(*amounts: str) -> str:
    """Sum decimal strings exactly."""
    total = Decimal(0)
    for amount in amounts:
        total = _EXACT.add(total, Decimal(amount))
    return decimal_string(total)


def difference(after: str, before: str) -> Decimal:
    """Subtract decimal strings exactly."""
    return _EXACT.subtract(Decimal(after), Decimal(before))


def sums_by(rows: pl.DataFrame, keys: list[str]) -> dict[tuple[str, ...], RowsAndCost]:
    """
    Count the rows of each group, and sum their costs.

    :param rows: the columns of the keys, and ``cost``.
    :param keys: names of columns without nulls.
    """
    groups = rows.group_by(keys).len().sort(keys).with_row_index("group")
    numbered = rows.select(*keys, "cost").join(groups, on=keys)
    costs = exact_sums(numbered["cost"], numbered["group"])
    names = groups.select(keys).iter_rows()
    return {
        name: RowsAndCost(count, Decimal(cost)) for name, count, cost in zip(names, groups["len"], costs, strict=True)
    }
