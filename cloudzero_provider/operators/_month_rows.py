"""Base of the operators that take the rows of a month of an AnyCost stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloudzero_provider.airflow_support.compat import name_instance
from cloudzero_provider.airflow_support.run_month import resolve_month
from cloudzero_provider.links import AnyCostConnectionLink
from cloudzero_provider.operators._rows import CloudZeroRowsOperator, OnEmpty
from cloudzero_provider.values.limits import MAX_BODY_BYTES, MAX_MONTH_BYTES, MAX_MONTH_ROWS
from cloudzero_provider.values.parameters import read_bool

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from airflow.sdk import Context

    from cloudzero_provider.anycost.checks import CheckedRows
    from cloudzero_provider.anycost.plan import Limits
    from cloudzero_provider.client import Client
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


@dataclass(frozen=True)
class MonthTarget:
    """
    A month of an AnyCost stream.

    :param client: the client of the connection.
    :param anycost_connection_id: the AnyCost stream.
    :param month: the month.
    """

    client: Client
    anycost_connection_id: str
    month: Month

    def __str__(self) -> str:
        return f"{self.client.config.base_url} {self.anycost_connection_id} {self.month}"


class MonthRowsOperator(CloudZeroRowsOperator):
    """
    Base of the operators that take the rows of a month of an AnyCost stream.

    :param anycost_connection_id: the AnyCost stream; without it, that of the connection's extra. (templated)
    :param month: the month; without it, the run's. (templated)
    :param operation: ``replace_drop``, ``replace_hourly`` or ``sum``. (templated)
    :param allow_unknown_columns: whether columns outside the Common Bill Format are accepted.
    :param max_body_bytes: largest request body.
    :param max_month_bytes: largest size of all bodies of a month.
    :param max_month_rows: largest number of rows in a month.
    """

    template_fields: Sequence[str] = (
        "anycost_connection_id",
        "month",
        *CloudZeroRowsOperator.template_fields,
        "operation",
    )
    operator_extra_links = (AnyCostConnectionLink(),)
    on_empty_choices = tuple(OnEmpty)

    def __init__(
        self,
        *,
        anycost_connection_id: str | None = None,
        month: str | date | None = None,
        operation: str = "replace_drop",
        allow_unknown_columns: bool = False,
        max_body_bytes: int = MAX_BODY_BYTES,
        max_month_bytes: int = MAX_MONTH_BYTES,
        max_month_rows: int = MAX_MONTH_ROWS,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.anycost_connection_id = anycost_connection_id
        self.month = month
        self.operation = operation
        self.allow_unknown_columns = allow_unknown_columns
        self.max_body_bytes = max_body_bytes
        self.max_month_bytes = max_month_bytes
        self.max_month_rows = max_month_rows

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

    def read_limits(self) -> Limits:
        """
        Read the limits.

        :raises ConfigurationError: when one of them is not a whole number in its range.
        """
        from cloudzero_provider.anycost.plan import Limits

        return Limits(self.max_body_bytes, self.max_month_bytes, self.max_month_rows)

    def find_target(self, context: Context) -> MonthTarget:
        """
        Find the month and the stream, and name the task instance after the month.

        :param context: the task's context.
        :raises ConfigurationError: when there is none.
        """
        month = resolve_month(self.month, context)
        name_instance(context, str(month))
        anycost_connection_id = self.cloudzero_hook.anycost_connection_id(self.anycost_connection_id)
        return MonthTarget(self.cloudzero_hook.get_conn(), anycost_connection_id, month)

    def checked_rows(self, context: Context, month: Month, options: RowParameters) -> CheckedRows | None:
        """
        Read and check the rows; ``None`` without a row. The rows as they were given are let go of.

        :param context: the task's context.
        :param month: the month that every row must be in.
        :param options: how they are read.
        :raises InputError: when they break a rule.
        """
        from cloudzero_provider.anycost.checks import check_rows

        rows = self.read_rows(context, allow_equal_files=options.allow_equal_files)
        return check_rows(rows, month, allow_unknown_columns=options.allow_unknown_columns) if rows.count else None
