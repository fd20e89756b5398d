"""Operator for telemetry: unit cost metrics and allocation streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloudzero_provider.airflow_support.compat import name_instance
from cloudzero_provider.airflow_support.run_month import resolve_month
from cloudzero_provider.airflow_support.sum_state import with_attempts
from cloudzero_provider.exceptions import MonthError
from cloudzero_provider.links import TelemetryStreamsLink
from cloudzero_provider.operators._send import CloudZeroSendOperator
from cloudzero_provider.values.limits import MAX_BATCH_RECORDS, MAX_BODY_BYTES
from cloudzero_provider.values.parameters import read_bool

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from airflow.sdk import Context

    from cloudzero_provider.months import Month
    from cloudzero_provider.telemetry.checks import RecordRules
    from cloudzero_provider.telemetry.send import TelemetryOptions, TelemetrySummary


class TelemetrySendOperator(CloudZeroSendOperator):
    """
    Send telemetry records to a unit cost metric or an allocation stream.

    With ``replace`` and ``delete``, CloudZero holds each record once, however often the task runs. With ``sum``,
    a request that may have been applied is not sent again.

    .. seealso:: https://docs.cloudzero.com/docs/send-via-api

    :param stream_name: 1 to 256 letters, digits, and ``_ . -``. CloudZero creates the stream with the first records.
        (templated)
    :param stream_type: ``metric`` or ``allocation``. (templated)
    :param cloudzero_conn_id: the Airflow connection. (templated)
    :param operation: ``replace`` overwrites or adds records; ``sum`` adds to them; ``delete`` hides them (their values
        are not sent). (templated)
    :param records: a list of dicts, or the output of an upstream task: ``timestamp``, ``value``, for allocations
        ``granularity`` and ``element_name``, and ``associated_cost`` (metric: key → string) or ``filter`` (allocation:
        key → list of strings). Resolved when the task runs, never rendered by Jinja.
    :param files: instead of ``records``: a path, a URI (``s3://my_aws_conn@bucket/2026-03.parquet``), a pattern
        (``…/2026-03/*.csv.gz``), or a list of those. Formats: ``.csv``, ``.json``, ``.jsonl``, ``.ndjson``, each also
        with ``.gz``, and ``.parquet``. Lists from mapped upstream tasks are concatenated. (templated)
    :param allow_equal_files: allow two files with the same rows, in any order. Without it, they are an error, since
        their rows would count twice. (templated)
    :param sql: instead of ``records``: a query whose columns are fields and filter keys, or the path of a ``.sql`` file
        that holds it. (templated)
    :param sql_conn_id: the Airflow connection that the query runs on: any whose hook is a ``DbApiHook``. (templated)
    :param transform: a function from a polars frame to a polars frame of fields and filter keys, or a list of such
        functions, applied in order before the records are checked.
    :param granularity: of records without their own: ``DAILY``, ``MONTHLY``, or ``HOURLY`` (allocation only).
        (templated)
    :param month: that all records must be in. Default: the run's month, if it has one. (templated)
    :param on_duplicate: two records with one identity in a ``replace``: ``error``, or ``sum`` their values exactly.
        (templated)
    :param on_zero: a value of zero, which CloudZero does not accept: ``error``; ``delete`` the record, and with it
        every record that has its properties and more (without filter keys: those with any); or ``skip`` it, which
        leaves what CloudZero holds. (templated)
    :param on_mixed_keys: records with different sets of filter keys: ``split`` them into separate requests, or
        ``error``. (templated)
    :param on_empty: without records: ``skip`` the task, or ``fail`` it. (templated)
    :param clear_periods: first delete all records of the periods that the records cover, which removes elements that no
        longer occur. How CloudZero matches such a deletion is not published, so it is outside the guarantees.
        (templated)
    :param check_only: check the records and send nothing. (templated)
    :param max_body_bytes: largest request body; CloudZero accepts 5 MB.
    :param max_batch_records: most records in one request.
    :param replace_in_same_run: allow this task to replace records that another task, or another instance of this mapped
        task, sent to the stream with other values in the same DAG run. Without it, that is an error. (templated)
    :param problems_file: when records break rules, list every problem in this file, with row, column, value and rule: a
        path or a URI that ends in ``.csv``, or in ``.jsonl`` or ``.ndjson`` (JSON lines). The task fails all the same,
        and its error names the file. An attempt first deletes the list of an earlier one. A file that is not such a
        list is never replaced; it is an error. (templated)
    :return: stream_name, stream_type, operation, granularity, month, records, requests, bytes, total (decimal string),
        first, last, key_sets, duplicates_summed, zeros_deleted, zeros_skipped, values_rounded, sha256, record_hashes,
        check_only.
    :raises CloudZeroError: one of its classes; an error that a retry can't fix is also an ``AirflowFailException``.
    """

    template_fields: Sequence[str] = (
        "stream_name",
        "stream_type",
        "granularity",
        "month",
        *CloudZeroSendOperator.template_fields,
        "operation",
        "on_duplicate",
        "on_zero",
        "on_mixed_keys",
        "clear_periods",
        "check_only",
    )
    operator_extra_links = (TelemetryStreamsLink(),)
    ui_color = "#e6f7ec"
    outlet_keys = (
        "month",
        "stream_name",
        "records",
        "total",
        "first",
        "last",
        *CloudZeroSendOperator.outlet_keys,
    )

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
        check_only: bool | str = False,
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
        self.check_only = check_only
        self.max_body_bytes = max_body_bytes
        self.max_batch_records = max_batch_records

    def process(self, context: Context) -> TelemetrySummary:
        """
        Check, batch and send the records.

        :param context: the task's context.
        """
        from cloudzero_provider.client.telemetry import TelemetryOperation, checked_stream_name
        from cloudzero_provider.telemetry.checks import check_records
        from cloudzero_provider.telemetry.send import send_records
        from cloudzero_provider.telemetry.table_records import joined_records

        # All parameters are read before any record is.
        options = self._options(context)
        on_empty = self.read_on_empty()
        allow_equal_files = self.read_allow_equal_files()
        rules = self._rules(context)
        stream_name = checked_stream_name(self.stream_name)
        name_instance(context, stream_name)
        client = self.cloudzero_hook.get_conn()
        target = f"{client.config.base_url} {rules.kind.stream_type.value} {stream_name}"
        options = with_attempts(options, context, target, adds=rules.operation is TelemetryOperation.SUM)
        rows = self.read_rows(
            context, allow_equal_files=allow_equal_files, join=lambda parts: joined_records(parts, rules.kind)
        )
        if not rows.count:
            options.journal.finish()
            self.refuse_empty(on_empty, f"records for {stream_name}")
        checked = check_records(rows, rules)
        # Let go of the rows as they were given before the requests, which may take long.
        del rows
        return send_records(client, stream_name, checked, options)

    def _options(self, context: Context) -> TelemetryOptions:
        """Read the parameters, which templates may have rendered as text."""
        from cloudzero_provider.telemetry.batches import BatchLimits
        from cloudzero_provider.telemetry.send import TelemetryOptions

        return TelemetryOptions(
            clear_periods=read_bool("clear_periods", self.clear_periods, templated=True),
            check_only=read_bool("check_only", self.check_only, templated=True),
            limits=BatchLimits(self.max_body_bytes, self.max_batch_records),
            claims=self.claims(context),
        )

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
