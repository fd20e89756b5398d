"""How a month is written to a bucket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloudzero_provider.anycost.guards.row_count import read_max_rows_ratio, read_min_rows_ratio
from cloudzero_provider.values.limits import KEEP_DROPS, MAX_FILE_ROWS, MIN_ROWS_RATIO
from cloudzero_provider.values.parameters import read_bool, read_whole_number

if TYPE_CHECKING:
    from cloudzero_provider.anycost.guards.cost_change import MaxCostChange
    from cloudzero_provider.anycost.guards.days import RequiredDays
    from cloudzero_provider.claims import Claims


@dataclass(frozen=True)
class DropOptions:
    """
    How a month is written; the operator documents each.

    :param rows_per_file: most rows of a file.
    :param is_retry: whether a previous attempt of the task may have written the same rows.
    :param claims: the claims of the DAG run; ``None`` outside a DAG run.
    """

    min_rows_ratio: float = MIN_ROWS_RATIO
    max_rows_ratio: float | None = None
    max_cost_change: MaxCostChange | None = None
    required_days: RequiredDays | None = None
    skip_unchanged: bool = False
    keep_drops: int = KEEP_DROPS
    check_only: bool = False
    rows_per_file: int = MAX_FILE_ROWS
    is_retry: bool = False
    claims: Claims | None = None

    def __post_init__(self) -> None:
        read_min_rows_ratio(self.min_rows_ratio)
        read_max_rows_ratio(self.max_rows_ratio)
        for name in ("skip_unchanged", "check_only", "is_retry"):
            read_bool(name, getattr(self, name))
        read_whole_number("keep_drops", self.keep_drops, least=1)
        read_whole_number("rows_per_file", self.rows_per_file, most=MAX_FILE_ROWS)

    def compares(self, *, is_cleared: bool) -> bool:
        """
        Whether a guard needs what the current drop holds.

        :param is_cleared: whether the month is emptied, which only the guard on costs can refuse.
        """
        counts_rows = self.min_rows_ratio > 0 or self.max_rows_ratio is not None
        return self.max_cost_change is not None or (counts_rows and not is_cleared)
