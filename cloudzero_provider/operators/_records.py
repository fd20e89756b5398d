"""Base of the operators that take the records of a telemetry stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloudzero_provider.airflow_support.compat import name_instance
from cloudzero_provider.airflow_support.run_month import resolve_month
from cloudzero_provider.exceptions import MonthError
from cloudzero_provider.links import TelemetryStreamsLink
from cloudzero_provider.operators._base import CloudZeroBaseOperator
from cloudzero_provider.operators._rows import CloudZeroRowsOperator
from cloudzero_provider.values.limits import MAX_BATCH_RECORDS, MAX_BODY_BYTES
from cloudzero_provider.values.parameters import read_bool

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from airflow.sdk import Context

    from cloudzero_provider.months import Month
    from cloudzero_provider.operators._rows import OnEmpty
    from cloudzero_provider.telemetry.batches import BatchLimits
    from cloudzero_provider.telemetry.checks import CheckedRecords, RecordRules


@dataclass(frozen=True)
class RecordParameters:
    """
    The parameters of records.

    :param stream_name: the stream.
    :param rules: how records are checked.
    :param limits: of each request.
    :param clear_periods: whether all records of their periods are deleted first.
    :param on_empty: what to do without records.
    :param allow_equal_files: whether two of ``files`` may hold the same rows.
    """

    stream_name: str
    rules: RecordRules
    limits: BatchLimits
    clear_periods: bool
    on_empty: OnEmpty
    allow_equal_files: bool


class TelemetryRecordsOperator(CloudZeroRowsOperator, CloudZeroBaseOperator):
    """
    Base of the operators that take the records of a telemetry stream.

    :param stream_name: the stream. (templated)
    :param stream_type: ``metric`` or ``allocation``. (templated)
    :param operation: ``replace``, ``sum`` or ``delete``. (templated)
    :param granularity: of records without their own. (templated)
    :param month: that all records must be in; without it, the run's, if it has one. (templated)
    :param on_duplicate: what to do with two records of one identity in a ``replace``. (templated)
    :param on_zero: what to do with a value of zero. (templated)
    :param on_mixed_keys: what to do with records of different sets of filter keys. (templated)
    :param clear_periods: whether all records of the periods are deleted first. (templated)
    :param max_body_bytes: largest request body.
    :param max_batch_records: most records in one request.
    """

    template_fields: Sequence[str] = (
        "stream_name",
        "stream_type",
        "granularity",
        "month",
        *CloudZeroBaseOperator.template_fields,
        *CloudZeroRowsOperator.template_fields,
        "operation",
        "on_duplicate",
        "on_zero",
        "on_mixed_keys",
        "clear_periods",
    )
    operator_extra_links = (TelemetryStreamsLink(),)

    def __init__(
        self,
        *,
        stream_name: str,
        stream_type: str,
        operation: str = "replace",
        granularity: str | None = None,
        month: str | date | None = None,
        on_duplicate: str = "error",
        on_zero: str = "error",
        on_mixed_keys: str = "split",
        clear_periods: bool | str = False,
        max_body_bytes: int = MAX_BODY_BYTES,
        max_batch_records: int = MAX_BATCH_RECORDS,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.stream_name = stream_name
        self.stream_type = stream_type
        self.operation = operation
        self.granularity = granularity
        self.month = month
        self.on_duplicate = on_duplicate
        self.on_zero = on_zero
        self.on_mixed_keys = on_mixed_keys
        self.clear_periods = clear_periods
        self.max_body_bytes = max_body_bytes
        self.max_batch_records = max_batch_records

    def read_record_parameters(self, context: Context) -> RecordParameters:
        """
        Read the parameters, which templates may have rendered as text, and name the task instance after the stream.

        :param context: the task's context.
        :raises ConfigurationError: when one of them has a value that it does not accept.
        """
        from cloudzero_provider.client.telemetry import checked_stream_name
        from cloudzero_provider.telemetry.batches import BatchLimits

        parameters = RecordParameters(
            clear_periods=read_bool("clear_periods", self.clear_periods, templated=True),
            limits=BatchLimits(self.max_body_bytes, self.max_batch_records),
            on_empty=self.read_on_empty(),
            allow_equal_files=self.read_allow_equal_files(),
            rules=self._rules(context),
            stream_name=checked_stream_name(self.stream_name),
        )
        name_instance(context, parameters.stream_name)
        return parameters

    def checked_records(self, context: Context, parameters: RecordParameters) -> CheckedRecords | None:
        """
        Read and check the records; ``None`` without a record. The rows as they were given are let go of.

        :param context: the task's context.
        :param parameters: how they are read and checked.
        :raises InputError: when they break a rule.
        """
        from cloudzero_provider.telemetry.checks import check_records
        from cloudzero_provider.telemetry.table_records import joined_records

        rules = parameters.rules
        rows = self.read_rows(
            context,
            allow_equal_files=parameters.allow_equal_files,
            join=lambda parts: joined_records(parts, rules.kind),
        )
        return check_records(rows, rules) if rows.count else None

    def _rules(self, context: Context) -> RecordRules:
        from cloudzero_provider.client.telemetry import StreamType, TelemetryOperation
        from cloudzero_provider.telemetry.checks import OnDuplicate, OnMixedKeys, OnZero, RecordRules
        from cloudzero_provider.telemetry.record_kinds import KINDS

        return RecordRules(
            kind=KINDS[StreamType.parse(self.stream_type, "stream_type")],
            operation=TelemetryOperation.parse(self.operation, "operation"),
            granularity=self.granularity,
            month=self._month(context),
            on_duplicate=OnDuplicate.parse(self.on_duplicate, "on_duplicate"),
            on_zero=OnZero.parse(self.on_zero, "on_zero"),
            on_mixed_keys=OnMixedKeys.parse(self.on_mixed_keys, "on_mixed_keys"),
        )

    def _month(self, context: Context) -> Month | None:
        try:
            return resolve_month(self.month, context)
        except MonthError:
            if self.month is not None:
                raise
            return None
