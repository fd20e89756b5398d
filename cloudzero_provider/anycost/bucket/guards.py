"""Guards: compare a month with its current drop, and refuse what should not happen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudzero_provider.anycost.guards.cost_change import check_cost_change
from cloudzero_provider.anycost.guards.row_count import check_growth, exact_ratio
from cloudzero_provider.exceptions import MonthWouldShrinkError
from cloudzero_provider.values.counted import counted

if TYPE_CHECKING:
    from cloudzero_provider.anycost.bucket.drop_files import DropFiles
    from cloudzero_provider.anycost.bucket.held import HeldDrop
    from cloudzero_provider.anycost.bucket.options import DropOptions
    from cloudzero_provider.months import Month


def check_against_held(month: Month, files: DropFiles, held: HeldDrop, options: DropOptions) -> None:
    """
    Refuse a month that would shrink, grow, or cost something else by too much.

    :param month: the month.
    :param files: what is to be written.
    :param held: what the current drop holds.
    :param options: the guards.
    :raises GuardError: with both figures.
    """
    _check_shrinking(month, files.rows, held, options.min_rows_ratio)
    if held.rows:
        growth = f"from the {counted(held.rows, 'row')} of the current drop to {files.rows:,}"
        check_growth(month, held.rows, files.rows, options.max_rows_ratio, growth, "nothing was written")
    check_held_cost(month, files, held, options)


def check_held_cost(month: Month, files: DropFiles, held: HeldDrop, options: DropOptions) -> None:
    """
    Refuse a month that would cost something else by too much.

    :param month: the month.
    :param files: what is to be written.
    :param held: what the current drop holds.
    :param options: the guards.
    :raises CostWouldChangeError: with both figures.
    """
    if options.max_cost_change is not None:
        current = f"that the current drop {held.drop_id} holds"
        check_cost_change(str(month), held.total_cost, files.total_cost, options.max_cost_change, current, advice="")


def _check_shrinking(month: Month, rows: int, held: HeldDrop, ratio: float) -> None:
    if rows < exact_ratio(ratio) * held.rows:
        raise MonthWouldShrinkError(
            f"{month}: {counted(rows, 'row')} would replace the {held.rows:,} of the current drop {held.drop_id}, "
            f"less than {ratio:.0%} of them (min_rows_ratio); nothing was written. A drop replaces the whole month: "
            "give all rows of the month, or set min_rows_ratio=0 if the month really shrank."
        )
