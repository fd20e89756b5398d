"""Sums of costs over rows that become one row, with CloudZero's fallbacks for blank costs applied first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from cloudzero_provider.anycost.columns import (
    AMORTIZED_COST,
    COLUMNS,
    COST_COLUMNS,
    DISCOUNTED_AMORTIZED_COST,
    DISCOUNTED_COST,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloudzero_provider.anycost.aggregation.groups import Groups


def sum_costs(costs: Mapping[str, pl.Series], groups: Groups) -> dict[str, pl.Series]:
    """
    Sum each cost column. A blank cost counts as the value that CloudZero falls back to.

    :param costs: for each cost column, the decimal string of each row; null where it is blank.
    :param groups: which rows become one row.
    :return: for each cost column, the sum of each group, as a decimal string; null where CloudZero's own fallback
        has the same result. A column that is null for all groups is left out.
    """
    sums = {}
    for name in COST_COLUMNS:
        needed = _needs_sum(name, costs, groups)
        if needed.any():
            with_fallbacks = pl.coalesce(
                [costs[source] for source in (name, *COLUMNS[name].fallbacks) if source in costs]
            )
            sums[name] = pl.select(pl.when(needed).then(groups.sums(pl.select(with_fallbacks).to_series()))).to_series()
    return sums


def _needs_sum(name: str, costs: Mapping[str, pl.Series], groups: Groups) -> pl.Series:
    """Flag the groups for which a cost column must not stay blank."""
    needed = groups.any(costs[name].is_not_null()) if name in costs else pl.repeat(False, len(groups), eager=True)
    if name == DISCOUNTED_AMORTIZED_COST and {AMORTIZED_COST, DISCOUNTED_COST} <= costs.keys():
        needed |= _falls_back_to_both(costs[AMORTIZED_COST], costs[DISCOUNTED_COST], groups)
    return needed


def _falls_back_to_both(amortized: pl.Series, discounted: pl.Series, groups: Groups) -> pl.Series:
    """
    Flag the groups in which one row falls back to its amortized cost and another to its discounted cost.

    CloudZero would use the amortized cost of the whole group for both.
    """
    return groups.any(amortized.is_not_null()) & groups.any(amortized.is_null() & discounted.is_not_null())
