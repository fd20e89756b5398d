"""``@task.cloudzero_billing_drop``: a function whose rows are sent to an AnyCost stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloudzero_provider.decorators._base import RowsOfFunction, rows_task, template_fields_of
from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class _BillingDropDecoratedOperator(RowsOfFunction, AnyCostBillingDropOperator):
    custom_operator_name = "@task.cloudzero_billing_drop"
    sends_by = "AnyCostBillingDropOperator"
    template_fields: Sequence[str] = template_fields_of(AnyCostBillingDropOperator)


def billing_drop_task(python_callable: Callable[..., Any] | None = None, **kwargs: Any) -> Any:
    """
    Send the rows that a function returns or yields to an AnyCost stream, as one month.

    The function is called when the task runs. Its rows go to CloudZero from there: only the summary of the operator
    goes through XCom. It returns a list of dicts (CBF column → value) or a data frame, or yields dicts, lists of dicts
    or data frames. An error that it raises reaches Airflow as it is, and nothing was sent.

    :param python_callable: the function.
    :param kwargs: parameters of :class:`~cloudzero_provider.operators.anycost.AnyCostBillingDropOperator`, all but
        those that say where rows are (``records``, ``files``, ``sql``, ``sql_conn_id``).
    :return: the summary of the operator; ``multiple_outputs`` does not split it.
    :raises ConfigurationError: when the DAG is parsed: for those parameters, and for an async function.
    """
    return rows_task(_BillingDropDecoratedOperator, python_callable, kwargs)
