"""``@task.cloudzero_bucket_drop``: a function whose rows are written to the bucket of an AnyCost Bucket connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloudzero_provider.decorators._base import RowsOfFunction, rows_task, template_fields_of
from cloudzero_provider.operators.bucket import AnyCostBucketDropOperator

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class _BucketDropDecoratedOperator(RowsOfFunction, AnyCostBucketDropOperator):
    custom_operator_name = "@task.cloudzero_bucket_drop"
    operator_name = "AnyCostBucketDropOperator"
    template_fields: Sequence[str] = template_fields_of(AnyCostBucketDropOperator)


def bucket_drop_task(python_callable: Callable[..., Any] | None = None, **kwargs: Any) -> Any:
    """
    Write the rows that a function returns or yields to the bucket of an AnyCost Bucket connection, as one month.

    The function is called when the task runs. Its rows do not go through XCom; only the operator's summary does. It
    returns a list of dicts (CBF column → value) or a data frame, or yields dicts, lists of dicts or data frames. If it
    raises an error, nothing is written, and Airflow gets the error unchanged.

    :param python_callable: the function.
    :param kwargs: parameters of :class:`~cloudzero_provider.operators.bucket.AnyCostBucketDropOperator`, except those
        that say where rows come from (``records``, ``files``, ``sql``, ``sql_conn_id``).
    :return: the operator's summary, without ``multiple_outputs``.
    :raises ConfigurationError: when the DAG is parsed, for those parameters and for an async function.
    """
    return rows_task(_BucketDropDecoratedOperator, python_callable, kwargs)
