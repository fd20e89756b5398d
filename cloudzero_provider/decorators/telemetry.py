"""``@task.cloudzero_telemetry``: a function whose records are sent to a telemetry stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloudzero_provider.decorators._base import RowsOfFunction, rows_task, template_fields_of
from cloudzero_provider.operators.telemetry import TelemetrySendOperator

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class _TelemetryDecoratedOperator(RowsOfFunction, TelemetrySendOperator):
    custom_operator_name = "@task.cloudzero_telemetry"
    operator_name = "TelemetrySendOperator"
    template_fields: Sequence[str] = template_fields_of(TelemetrySendOperator)


def telemetry_task(python_callable: Callable[..., Any] | None = None, **kwargs: Any) -> Any:
    """
    Send the records that a function returns or yields to a unit cost metric or an allocation stream.

    The function is called when the task runs. Its records do not go through XCom; only the operator's summary does. It
    returns a list of dicts (fields of a record) or a data frame, or yields dicts, lists of dicts or data frames. If it
    raises an error, nothing is sent, and Airflow gets the error unchanged.

    :param python_callable: the function.
    :param kwargs: parameters of :class:`~cloudzero_provider.operators.telemetry.TelemetrySendOperator`, except those
        that say where records come from (``records``, ``files``, ``sql``, ``sql_conn_id``).
    :return: the operator's summary, without ``multiple_outputs``.
    :raises ConfigurationError: when the DAG is parsed, for those parameters and for an async function.
    """
    return rows_task(_TelemetryDecoratedOperator, python_callable, kwargs)
