"""Operators that show what sending would do, and write nothing to CloudZero."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from cloudzero_provider.exceptions import ConfigurationError
from cloudzero_provider.operators._month_rows import MonthRowsOperator
from cloudzero_provider.values.whole_files import whole_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from cloudzero_provider.anycost.comparison.report import PlanReport


class AnyCostBillingDropPlanOperator(MonthRowsOperator):
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
        markdown.
    :raises CloudZeroError: one of its classes; an error that a retry can't fix is also an ``AirflowFailException``.
    """

    template_fields: Sequence[str] = (*MonthRowsOperator.template_fields, "by", "report_file")
    ui_color = "#eef5ff"
    outlet_keys = ("month", "anycost_connection_id", "operation", "rows", "total_cost", "unchanged")

    def __init__(self, *, by: str = "resource/service", report_file: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.by = by
        self.report_file = report_file

    def process(self, context: Context) -> PlanReport:
        """
        Check the rows, and compare them with what CloudZero holds.

        :param context: the task's context.
        """
        from cloudzero_provider.anycost.comparison.options import read_by
        from cloudzero_provider.anycost.plan import Operation
        from cloudzero_provider.anycost.planning import plan_clearing, plan_month

        operation = Operation.parse(self.operation, "operation")
        by = read_by(self.by)
        limits = self.read_limits()
        options = self.read_row_parameters()
        self._check_report_file()
        target = self.find_target(context)
        checked = self.checked_rows(context, target.month, options)
        client, anycost_connection_id = target.client, target.anycost_connection_id
        if checked is not None:
            report = plan_month(client, anycost_connection_id, checked, operation, limits, by)
        else:
            self.refuse_empty(options.on_empty, f"rows for {target.month}")
            report = plan_clearing(client, anycost_connection_id, target.month, limits, by)
        self._write(report.markdown)
        return report

    def _check_report_file(self) -> None:
        if self.report_file is not None and not str(self.report_file).endswith(".md"):
            raise ConfigurationError(f"report_file is {self.report_file!r}: expected a path or a URI that ends in .md.")

    def _write(self, markdown: str) -> None:
        if self.report_file is None:
            return
        text = f"{markdown.rstrip()}\n".encode()
        if "://" in str(self.report_file):
            from cloudzero_provider.airflow_support.object_storage import ObjectStorage

            ObjectStorage().upload(io.BytesIO(text), str(self.report_file))
        else:
            with whole_file(str(self.report_file)) as file:
                file.write(text)
        self.log.info("The report is in %s", self.report_file)
