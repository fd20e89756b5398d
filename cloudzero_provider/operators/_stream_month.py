"""Base of the operators that take the rows of a month of an AnyCost stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloudzero_provider.operators._base import CloudZeroBaseOperator
from cloudzero_provider.operators._month_rows import MonthRowsOperator
from cloudzero_provider.values.limits import MAX_BODY_BYTES, MAX_MONTH_BYTES, MAX_MONTH_ROWS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from cloudzero_provider.anycost.plan import Limits
    from cloudzero_provider.client import Client
    from cloudzero_provider.months import Month


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


class StreamMonthOperator(MonthRowsOperator, CloudZeroBaseOperator):
    """
    Base of the operators that take the rows of a month of an AnyCost stream.

    :param anycost_connection_id: the AnyCost stream; without it, that of the connection's extra. (templated)
    :param operation: ``replace_drop``, ``replace_hourly`` or ``sum``. (templated)
    :param max_body_bytes: largest request body.
    :param max_month_bytes: largest size of all bodies of a month.
    :param max_month_rows: largest number of rows in a month.
    """

    template_fields: Sequence[str] = (
        "anycost_connection_id",
        *CloudZeroBaseOperator.template_fields,
        *MonthRowsOperator.template_fields,
        "operation",
    )

    def __init__(
        self,
        *,
        anycost_connection_id: str | None = None,
        operation: str = "replace_drop",
        max_body_bytes: int = MAX_BODY_BYTES,
        max_month_bytes: int = MAX_MONTH_BYTES,
        max_month_rows: int = MAX_MONTH_ROWS,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.anycost_connection_id = anycost_connection_id
        self.operation = operation
        self.max_body_bytes = max_body_bytes
        self.max_month_bytes = max_month_bytes
        self.max_month_rows = max_month_rows

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
        month = self.find_month(context)
        anycost_connection_id = self.cloudzero_hook.anycost_connection_id(self.anycost_connection_id)
        return MonthTarget(self.cloudzero_hook.get_conn(), anycost_connection_id, month)
