"""Guards: compare a month with its current drop, and refuse what should not happen."""

from __future__ import annotations

import logging
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from cloudzero_provider.anycost.guards.cost_change import check_cost_change
from cloudzero_provider.anycost.guards.row_count import DUPLICATES_HINT, exact_ratio
from cloudzero_provider.exceptions import MonthWouldGrowError, MonthWouldShrinkError
from cloudzero_provider.months import Month
from cloudzero_provider.values.counted import counted
from cloudzero_provider.values.limits import UNUSUAL_GROWTH

if TYPE_CHECKING:
    from cloudzero_provider.anycost.bucket.drop_files import DropFiles
    from cloudzero_provider.anycost.bucket.held import HeldDrop
    from cloudzero_provider.anycost.bucket.options import DropOptions

log = logging.getLogger(__name__)


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
    _check_growth(month, files.rows, held, options.max_rows_ratio)
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


def _check_growth(month: Month, rows: int, held: HeldDrop, ratio: float | None) -> None:
    grows = f"{month} grows from the {counted(held.rows, 'row')} of the current drop to {rows:,}, more than"
    if not held.rows:
        return
    if ratio is not None and rows > exact_ratio(ratio) * held.rows:
        raise MonthWouldGrowError(
            f"{grows} {ratio:g} times as many (max_rows_ratio); nothing was written. {DUPLICATES_HINT} If the month "
            "really grew, set a larger max_rows_ratio."
        )
    if ratio is None and rows > UNUSUAL_GROWTH * held.rows and month < Month.parse(datetime.now(timezone.utc)):
        log.warning(
            "%s twice as many, and that month is over. %s max_rows_ratio makes this an error", grows, DUPLICATES_HINT
        )
