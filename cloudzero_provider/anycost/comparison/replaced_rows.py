"""Which of the rows that CloudZero holds are replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudzero_provider.anycost.columns import USAGE_START
from cloudzero_provider.anycost.comparison.encoding import column_or_nulls
from cloudzero_provider.anycost.plan import Operation

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl


def replaced_and_kept(
    held: pl.DataFrame, operation: Operation, hours: Iterable[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """
    Split what CloudZero holds into the rows that an operation replaces, and the others.

    :param held: a canonical frame.
    :param operation: the operation.
    :param hours: the hours that are sent, like ``2026-03-16T13:00:00Z``.
    """
    if operation is Operation.REPLACE_DROP:
        return held, held.clear()
    if operation is Operation.SUM:
        return held.clear(), held
    is_replaced = column_or_nulls(held, USAGE_START).is_in(list(hours)).fill_null(value=False)
    return held.filter(is_replaced), held.filter(~is_replaced)
