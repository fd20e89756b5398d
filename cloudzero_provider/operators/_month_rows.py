"""Base of the operators that take the rows of a month, in the Common Bill Format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloudzero_provider.airflow_support.compat import name_instance
from cloudzero_provider.airflow_support.run_month import resolve_month
from cloudzero_provider.links import AnyCostConnectionLink
from cloudzero_provider.operators._rows import CloudZeroRowsOperator, OnEmpty
from cloudzero_provider.values.parameters import read_bool

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from airflow.sdk import Context

    from cloudzero_provider.anycost.checks import CheckedRows
    from cloudzero_provider.months import Month


@dataclass(frozen=True)
class RowParameters:
    """
    How rows are read.

    :param on_empty: what to do without rows.
    :param allow_equal_files: whether two of ``files`` may hold the same rows.
    :param allow_unknown_columns: whether columns outside the Common Bill Format are accepted.
    """

    on_empty: OnEmpty
    allow_equal_files: bool
    allow_unknown_columns: bool


class MonthRowsOperator(CloudZeroRowsOperator):
    """
    Base of the operators that take the rows of a month.

    :param month: the month; without it, the run's. (templated)
    :param allow_unknown_columns: whether columns outside the Common Bill Format are accepted.
    """

    template_fields: Sequence[str] = ("month", *CloudZeroRowsOperator.template_fields)
    operator_extra_links = (AnyCostConnectionLink(),)
    on_empty_choices = tuple(OnEmpty)
    #: Whether the rows are written as CSV text.
    in_csv = False

    def __init__(self, *, month: str | date | None = None, allow_unknown_columns: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.month = month
        self.allow_unknown_columns = allow_unknown_columns

    def read_row_parameters(self) -> RowParameters:
        """
        Read the parameters of rows.

        :raises ConfigurationError: when one of them has a value that it does not accept.
        """
        return RowParameters(
            on_empty=self.read_on_empty(),
            allow_equal_files=self.read_allow_equal_files(),
            allow_unknown_columns=read_bool("allow_unknown_columns", self.allow_unknown_columns),
        )

    def find_month(self, context: Context) -> Month:
        """
        Find the month, and name the task instance after it.

        :param context: the task's context.
        :raises MonthError: when there is none.
        """
        month = resolve_month(self.month, context)
        name_instance(context, str(month))
        return month

    def checked_rows(self, context: Context, month: Month, parameters: RowParameters) -> CheckedRows | None:
        """
        Read and check the rows; ``None`` without a row. The rows as they were given are let go of.

        :param context: the task's context.
        :param month: the month that every row must be in.
        :param parameters: how they are read.
        :raises InputError: when they break a rule.
        """
        from cloudzero_provider.anycost.checks import check_rows

        rows = self.read_rows(context, allow_equal_files=parameters.allow_equal_files)
        if not rows.count:
            return None
        return check_rows(rows, month, allow_unknown_columns=parameters.allow_unknown_columns, in_csv=self.in_csv)
