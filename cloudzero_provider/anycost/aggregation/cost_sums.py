"""The costs of rows that become one, so that CloudZero shows what it would have shown for the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from cloudzero_provider.anycost.columns import (
    AMORTIZED_COST,
    COST_FALLBACKS,
    DISCOUNTED_AMORTIZED_COST,
    DISCOUNTED_COST,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloudzero_provider.anycost.aggregation.groups import Groups


def sum_costs(costs: Mapping[str, pl.Series], groups: Groups) -> dict[str, pl.Series]:
    """
    Add up each cost column. A blank cost counts as what CloudZero falls back to.

    :param costs: cost column → one decimal text per row; null is blank.
    :param groups: which rows become one.
    :return: cost column → one text per group; null where CloudZero falls back to the right sum by itself. A column
        without any text is not in it.
    """
    sums = {}
    for name, fallbacks in COST_FALLBACKS.items():
        needed = _needs_sum(name, costs, groups)
        if needed.any():
            taken = pl.coalesce([costs[source] for source in (name, *fallbacks) if source in costs])
            sums[name] = pl.select(pl.when(needed).then(groups.sums(pl.select(taken).to_series()))).to_series()
    return sums


def _needs_sum(name: str, costs: Mapping[str, pl.Series], groups: Groups) -> pl.Series:
    """Say of which groups a cost column must not stay blank."""
    needed = groups.any(costs[name].is_not_null()) if name in costs else pl.repeat(False, len(groups), eager=True)
    if name == DISCOUNTED_AMORTIZED_COST and {AMORTIZED_COST, DISCOUNTED_COST} <= costs.keys():
        needed |= _falls_back_to_both(costs[AMORTIZED_COST], costs[DISCOUNTED_COST], groups)
    return needed


def _falls_back_to_both(amortized: pl.Series, discounted: pl.Series, groups: Groups) -> pl.Series:
    """
    Say in which groups one row falls back to its amortized, another to its discounted cost.

    The group's own amortized cost would take the place of both; but there, the other row counts as its cost.
    """
    return groups.any(amortized.is_not_null()) & groups.any(amortized.is_null() & discounted.is_not_null())
