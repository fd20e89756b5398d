"""Base of the operators that send: what other tasks of the run have sent, and one writer per stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from cloudzero_provider.airflow_support.compat import set_default_of_mapped
from cloudzero_provider.airflow_support.run_claims import RunClaims
from cloudzero_provider.airflow_support.sum_state import is_retry
from cloudzero_provider.operators._rows import CloudZeroRowsOperator
from cloudzero_provider.values.parameters import read_bool

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


class CloudZeroSendOperator(CloudZeroRowsOperator):
    """
    Base of the operators that send.

    :param replace_in_same_run: whether this task may replace what another task of the same DAG run sent. (templated)
    :param max_active_tis_per_dag: how many instances of this task may run at a time, over all runs of the DAG.
        CloudZero does not support concurrent requests for one stream, so the default is 1, also for a mapped task; your
        own value and ``default_args`` win. Several tasks or DAGs that send to one stream need a pool with one slot.
    """

    template_fields: Sequence[str] = (*CloudZeroRowsOperator.template_fields, "replace_in_same_run")
    #: Keys of the summary that the events of ``outlets`` show.
    outlet_keys: ClassVar[Sequence[str]] = ("operation", "sha256", "check_only")

    def __init__(
        self, *, replace_in_same_run: bool | str = False, max_active_tis_per_dag: int | None = 1, **kwargs: Any
    ) -> None:
        super().__init__(max_active_tis_per_dag=max_active_tis_per_dag, **kwargs)
        self.replace_in_same_run = replace_in_same_run

    @classmethod
    def partial(cls, **kwargs: Any) -> Any:
        """Make a mapped task, one instance at a time by default: ``expand`` never runs ``__init__``."""
        partial = super().partial(**kwargs)
        set_default_of_mapped(partial, kwargs, "max_active_tis_per_dag", 1)
        return partial

    def claims(self, context: Context) -> RunClaims:
        """
        Return the claims of the DAG run, which show its other tasks what this one writes.

        :param context: the task's context.
        :raises ConfigurationError: when ``replace_in_same_run`` is neither true nor false.
        """
        may_replace = read_bool("replace_in_same_run", self.replace_in_same_run, templated=True)
        return RunClaims(context, sender=CloudZeroSendOperator, is_retry=is_retry(context), may_replace=may_replace)
