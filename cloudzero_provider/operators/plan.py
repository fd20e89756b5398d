"""Operators that show what sending would do, and write nothing to CloudZero."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloudzero_provider.operators._plan import CloudZeroPlanOperator
from cloudzero_provider.operators._records import TelemetryRecordsOperator
from cloudzero_provider.operators._stream_month import StreamMonthOperator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from cloudzero_provider.anycost.comparison.report import PlanReport
    from cloudzero_provider.telemetry.planning.report import TelemetryPlanReport


class AnyCostBillingDropPlanOperator(StreamMonthOperator, CloudZeroPlanOperator):
    """
    Show what sending a month would change, and write nothing to CloudZero.

    The rows are read and checked as :class:`~cloudzero_provider.operators.anycost.AnyCostBillingDropOperator` does, and
    compared with those that CloudZero holds. A key that may not read months is not an error: the report says so, and
    compares nothing. Pass the output as ``plan`` to the sending operator, so that exactly this is sent.

    .. seealso:: https://docs.cloudzero.com/reference/getanycoststreamconnectionbillingdropcontents

    :param cloudzero_conn_id: the Airflow connection. (templated)
    :param anycost_connection_id: the AnyCost stream; without it, ``anycost_connection_id`` of the connection's extra.
        (templated)
    :param month: as for the sending operator. (templated)
    :param records: as for the sending operator. Resolved when the task runs, never rendered by Jinja.
    :param files: as for the sending operator. (templated)
    :param allow_equal_files: as for the sending operator. (templated)
    :param sql: as for the sending operator. (templated)
    :param sql_conn_id: as for the sending operator. (templated)
    :param transform: as for the sending operator.
    :param operation: how the rows would be sent: ``replace_drop``, ``replace_hourly`` or ``sum``. (templated)
    :param on_empty: without rows: ``skip`` the task, ``fail`` it, or report what ``clear`` would remove. (templated)
    :param by: the column that changes are listed by, besides the day: a column of the Common Bill Format that holds no
        amounts, or a tag. (templated)
    :param report_file: also write the report as Markdown to this path or URI, which ends in ``.md``. (templated)
    :param allow_unknown_columns: as for the sending operator.
    :param max_body_bytes: as for the sending operator.
    :param max_month_bytes: as for the sending operator.
    :param max_month_rows: as for the sending operator.
    :param problems_file: as for the sending operator. (templated)
    :return: month, anycost_connection_id, operation, rows, total_cost, totals, requests, bytes, largest_request_bytes,
        limits, held, kept, becomes, held_problem, unchanged, by, changes, days_without_rows, rows_sha256, held_sha256,
        held_by_hour, markdown.
    :raises CloudZeroError: one of its classes; an error that a retry can't fix is also an ``AirflowFailException``.
    """

    template_fields: Sequence[str] = (*StreamMonthOperator.template_fields, "by", "report_file")
    ui_color = "#eef5ff"
    outlet_keys = ("month", "anycost_connection_id", "operation", "rows", "total_cost", "unchanged")

    def __init__(self, *, by: str = "resource/service", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.by = by

    def process(self, context: Context) -> PlanReport:
        """
        Check the rows, and compare them with what CloudZero holds.

        :param context: the task's context.
        """
        from cloudzero_provider.anycost.comparison.options import read_by
        from cloudzero_provider.anycost.plan import Operation, check_empties
        from cloudzero_provider.anycost.planning import plan_clearing, plan_month

        operation = Operation.parse(self.operation, "operation")
        by = read_by(self.by)
        limits = self.read_limits()
        parameters = self.read_row_parameters()
        self.check_report_file()
        target = self.find_target(context)
        checked = self.checked_rows(context, target.month, parameters)
        client, anycost_connection_id = target.client, target.anycost_connection_id
        if checked is not None:
            report = plan_month(client, anycost_connection_id, checked, operation, limits, by)
        else:
            self.refuse_empty(parameters.on_empty, f"rows for {target.month}")
            check_empties(operation)
            report = plan_clearing(client, anycost_connection_id, target.month, limits, by)
        self.write_report(report.markdown)
        return report


class TelemetryPlanOperator(TelemetryRecordsOperator, CloudZeroPlanOperator):
    """
    Show what sending records to a telemetry stream would do, without a request to CloudZero.

    The records are read, checked and split into requests as
    :class:`~cloudzero_provider.operators.telemetry.TelemetrySendOperator` does. They are not compared with those that
    CloudZero holds, since it returns only the newest 1,000 records of a stream.

    .. seealso:: https://docs.cloudzero.com/docs/send-via-api

    :param stream_name: as for the sending operator. (templated)
    :param stream_type: ``metric`` or ``allocation``. (templated)
    :param cloudzero_conn_id: the Airflow connection, for the link to CloudZero only. (templated)
    :param operation: how the records would be sent: ``replace``, ``sum`` or ``delete``. (templated)
    :param records: as for the sending operator. Resolved when the task runs, never rendered by Jinja.
    :param files: as for the sending operator. (templated)
    :param allow_equal_files: as for the sending operator. (templated)
    :param sql: as for the sending operator. (templated)
    :param sql_conn_id: as for the sending operator. (templated)
    :param transform: as for the sending operator.
    :param granularity: as for the sending operator. (templated)
    :param month: as for the sending operator; the report then lists which of its days have no records. (templated)
    :param on_duplicate: as for the sending operator. (templated)
    :param on_zero: as for the sending operator. (templated)
    :param on_mixed_keys: as for the sending operator. (templated)
    :param on_empty: without records: ``skip`` the task, or ``fail`` it. (templated)
    :param clear_periods: report which periods would be deleted first. (templated)
    :param report_file: also write the report as Markdown to this path or URI, which ends in ``.md``. (templated)
    :param max_body_bytes: as for the sending operator.
    :param max_batch_records: as for the sending operator.
    :param problems_file: as for the sending operator. (templated)
    :return: stream_name, stream_type, operation, granularity, month, records, requests, bytes, total (decimal string),
        first, last, key_sets, duplicates_summed, zeros_deleted, zeros_skipped, values_rounded, sha256,
        largest_request_bytes, largest_request_records, limits, cleared, by_period, by_value, without_records, markdown.
    :raises CloudZeroError: one of its classes; an error that a retry can't fix is also an ``AirflowFailException``.
    """

    template_fields: Sequence[str] = (*TelemetryRecordsOperator.template_fields, "report_file")
    ui_color = "#f0faf4"
    outlet_keys = ("month", "stream_name", "records", "total", "first", "last", "operation", "sha256")

    def process(self, context: Context) -> TelemetryPlanReport:
        """
        Check the records, and report what sending them would do.

        :param context: the task's context.
        """
        from cloudzero_provider.telemetry.planning.report import plan_records

        parameters = self.read_record_parameters(context)
        self.check_report_file()
        checked = self.checked_records(context, parameters)
        if checked is None:
            self.skip_or_fail(parameters.on_empty, f"records for {parameters.stream_name}")
        report = plan_records(
            parameters.stream_name, checked, parameters.limits, clear_periods=parameters.clear_periods
        )
        self.write_report(report.markdown)
        return report
