"""Operator for telemetry: unit cost metrics and allocation streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloudzero_provider.airflow_support.sum_state import with_attempts
from cloudzero_provider.operators._records import TelemetryRecordsOperator
from cloudzero_provider.operators._send import CloudZeroSendOperator
from cloudzero_provider.values.parameters import read_bool

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from cloudzero_provider.telemetry.send_summary import TelemetrySummary


class TelemetrySendOperator(TelemetryRecordsOperator, CloudZeroSendOperator):
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
        *TelemetryRecordsOperator.template_fields,
        "replace_in_same_run",
        "check_only",
    )
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

    def __init__(self, *, check_only: bool | str = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.check_only = check_only

    def process(self, context: Context) -> TelemetrySummary:
        """
        Check, batch and send the records.

        :param context: the task's context.
        """
        from cloudzero_provider.client.telemetry import TelemetryOperation
        from cloudzero_provider.telemetry.send import TelemetryOptions, send_records

        # All parameters are read before any record is.
        parameters = self.read_record_parameters(context)
        rules, stream_name = parameters.rules, parameters.stream_name
        options = TelemetryOptions(
            clear_periods=parameters.clear_periods,
            check_only=read_bool("check_only", self.check_only, templated=True),
            limits=parameters.limits,
            claims=self.claims(context),
        )
        client = self.cloudzero_hook.get_conn()
        target = f"{client.config.base_url} {rules.kind.stream_type.value} {stream_name}"
        options = with_attempts(options, context, target, adds=rules.operation is TelemetryOperation.SUM)
        checked = self.checked_records(context, parameters)
        if checked is None:
            options.journal.finish()
            self.skip_or_fail(parameters.on_empty, f"records for {stream_name}")
        return send_records(client, stream_name, checked, options)
