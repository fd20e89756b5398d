"""Base of the operators that replace a month: the guards that compare it with what is held."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloudzero_provider.operators._month_rows import MonthRowsOperator
from cloudzero_provider.operators._send import CloudZeroSendOperator
from cloudzero_provider.values.limits import MIN_ROWS_RATIO
from cloudzero_provider.values.parameters import read_bool

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from cloudzero_provider.anycost.guards.cost_change import MaxCostChange
    from cloudzero_provider.anycost.guards.days import RequiredDays


@dataclass(frozen=True)
class MonthGuards:
    """
    The guards of a month, as the operators document them.

    :param min_rows_ratio: how much the month may shrink.
    :param max_rows_ratio: how much it may grow.
    :param max_cost_change: how far its cost may move.
    :param required_days: which days must have rows.
    :param skip_unchanged: whether equal rows are left as they are.
    :param check_only: whether nothing is written.
    """

    min_rows_ratio: float
    max_rows_ratio: float | None
    max_cost_change: MaxCostChange | None
    required_days: RequiredDays | None
    skip_unchanged: bool
    check_only: bool


#: Template fields of the guards, and of sending.
GUARD_FIELDS = (
    "replace_in_same_run",
    "min_rows_ratio",
    "max_rows_ratio",
    "max_cost_change",
    "required_days",
    "skip_unchanged",
    "check_only",
)


class GuardedMonthOperator(MonthRowsOperator, CloudZeroSendOperator):
    """
    Base of the operators that replace a month.

    :param min_rows_ratio: refuse a month with fewer rows than this fraction of those that are held. (templated)
    :param max_rows_ratio: refuse a month with more rows than this multiple of those that are held. (templated)
    :param max_cost_change: refuse a month whose total cost would move by more. (templated)
    :param required_days: ``all``: refuse a month in which a day that is over has no rows. (templated)
    :param skip_unchanged: whether equal rows are left as they are. (templated)
    :param check_only: whether the rows are only checked. (templated)
    """

    template_fields: Sequence[str] = (*MonthRowsOperator.template_fields, *GUARD_FIELDS)

    def __init__(
        self,
        *,
        min_rows_ratio: float | str = MIN_ROWS_RATIO,
        max_rows_ratio: float | str | None = None,
        max_cost_change: str | float | Decimal | None = None,
        required_days: str | None = None,
        skip_unchanged: bool | str = False,
        check_only: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.min_rows_ratio = min_rows_ratio
        self.max_rows_ratio = max_rows_ratio
        self.max_cost_change = max_cost_change
        self.required_days = required_days
        self.skip_unchanged = skip_unchanged
        self.check_only = check_only

    def read_guards(self) -> MonthGuards:
        """
        Read the guards, which templates may have rendered as text.

        :raises ConfigurationError: when one of them has a value that it does not accept.
        """
        from cloudzero_provider.anycost.guards.cost_change import read_max_cost_change
        from cloudzero_provider.anycost.guards.days import read_required_days
        from cloudzero_provider.anycost.guards.row_count import read_max_rows_ratio, read_min_rows_ratio

        return MonthGuards(
            min_rows_ratio=read_min_rows_ratio(self.min_rows_ratio, templated=True),
            max_rows_ratio=read_max_rows_ratio(self.max_rows_ratio, templated=True),
            max_cost_change=read_max_cost_change(self.max_cost_change, templated=True),
            required_days=read_required_days(self.required_days),
            skip_unchanged=read_bool("skip_unchanged", self.skip_unchanged, templated=True),
            check_only=read_bool("check_only", self.check_only, templated=True),
        )
