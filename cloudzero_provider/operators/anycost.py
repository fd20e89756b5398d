"""Operators for AnyCost billing drops: send a month, read a month."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloudzero_provider.airflow_support.compat import name_instance
from cloudzero_provider.airflow_support.errors import airflow_failures
from cloudzero_provider.airflow_support.run_month import resolve_month
from cloudzero_provider.airflow_support.sum_state import with_attempts
from cloudzero_provider.links import AnyCostConnectionLink, show_links
from cloudzero_provider.operators._base import CloudZeroBaseOperator
from cloudzero_provider.operators._guards import GUARD_FIELDS, GuardedMonthOperator
from cloudzero_provider.operators._stream_month import StreamMonthOperator
from cloudzero_provider.values.counted import counted
from cloudzero_provider.values.parameters import read_bool

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from airflow.sdk import Context

    from cloudzero_provider.anycost.guards.contents import ContentGuards
    from cloudzero_provider.anycost.send_options import SendOptions
    from cloudzero_provider.anycost.send_summary import SendSummary
    from cloudzero_provider.operators._guards import MonthGuards


class AnyCostBillingDropOperator(StreamMonthOperator, GuardedMonthOperator):
    """
    Send one month of Common Bill Format rows to an AnyCost stream.

    When the task succeeds, CloudZero holds exactly these rows, once each. When the rows break a rule, nothing is sent.
    When sending fails, the error says which part of the month CloudZero holds, and running the task again completes it.

    .. seealso::
        https://docs.cloudzero.com/docs/anycost-send-stream-data and
        https://docs.cloudzero.com/docs/anycost-common-bill-format-cbf

    :param cloudzero_conn_id: the Airflow connection. (templated)
    :param anycost_connection_id: the AnyCost stream; without it, ``anycost_connection_id`` of the connection's extra.
        (templated)
    :param month: ``2026-03``, a date or a datetime. Default: the run's partition key, or else a data interval of
        exactly one calendar month; without either, an error. (templated)
    :param records: a list of dicts (CBF column → value), a data frame (polars, pandas, Arrow), or the output of an
        upstream task. Pass money through XCom as strings, since XCom converts a Decimal to a float. Resolved when the
        task runs, never rendered by Jinja.
    :param files: instead of ``records``: a path, a URI (``s3://my_aws_conn@bucket/2026-03.parquet``), a pattern
        (``…/2026-03/*.csv.gz``), or a list of those. Formats: ``.csv``, ``.json``, ``.jsonl``, ``.ndjson``, each also
        with ``.gz``, and ``.parquet``. Lists from mapped upstream tasks are concatenated. (templated)
    :param allow_equal_files: allow two files with the same rows, in any order. Without it, they are an error, since
        their rows would count twice. (templated)
    :param sql: instead of ``records``: a query whose columns are CBF columns, or the path of a ``.sql`` file that
        holds it. (templated)
    :param sql_conn_id: the Airflow connection that the query runs on: any whose hook is a ``DbApiHook``. (templated)
    :param transform: a function from a polars frame to a polars frame of CBF columns, or a list of such functions,
        applied in order before the rows are checked.
    :param operation: ``replace_drop`` (the whole month), ``replace_hourly`` (only the hours in the rows) or ``sum``
        (add to the month, at most once). (templated)
    :param on_empty: without rows: ``skip`` the task, ``fail`` it, or ``clear`` the month (``replace_drop`` only).
        (templated)
    :param min_rows_ratio: refuse a ``replace_drop`` with fewer rows than this fraction of those CloudZero holds; 0 is
        off. (templated)
    :param max_rows_ratio: refuse a month with more rows than this multiple of those CloudZero holds. Without it, a past
        month that grows to more than twice its rows is only a warning. A month that CloudZero does not hold yet is not
        compared. (templated)
    :param max_cost_change: refuse a month whose total ``cost/cost`` would move by more, up or down, from what CloudZero
        holds: ``30%`` of it, or an amount like ``500``. A month that CloudZero does not hold yet is not compared.
        (templated)
    :param required_days: ``all`` refuses a ``replace_drop`` in which a day of the month that is over (in UTC) has no
        rows. (templated)
    :param skip_unchanged: send nothing when CloudZero holds exactly these rows already, in any order. A retry or a
        cleared task always sends. (templated)
    :param report_changes: read what CloudZero holds, and log how the month changes. (templated)
    :param plan: the output of :class:`~cloudzero_provider.operators.plan.AnyCostBillingDropPlanOperator` that was
        approved: refuse anything but its rows, or when CloudZero no longer holds what the plan was compared with.
        Resolved when the task runs, never rendered by Jinja.
    :param check_only: check the rows, ask CloudZero to validate them, and write nothing. (templated)
    :param validate_with_cloudzero: have CloudZero validate every request before the first is sent. (templated)
    :param verify: read the month back at the end, until its rows and the exact total of every cost column are as sent.
        (templated)
    :param allow_unknown_columns: send columns that are not in the Common Bill Format.
    :param max_body_bytes: largest request body; CloudZero accepts 5 MB.
    :param max_month_bytes: largest size of all bodies of a month; CloudZero accepts 70 MB.
    :param max_month_rows: largest number of rows in a month; CloudZero accepts 1,000,000.
    :param replace_in_same_run: allow this task to replace what another task, or another instance of this mapped task,
        sent to the month in the same DAG run, for example an estimate. Without it, that is an error. (templated)
    :param problems_file: when rows break rules, list every problem in this file, with row, column, value and rule: a
        path or a URI that ends in ``.csv``, or in ``.jsonl`` or ``.ndjson`` (JSON lines). The task fails all the same,
        and its error names the file. An attempt first deletes the list of an earlier one. A file that is not such a
        list is never replaced; it is an error. (templated)
    :return: month, anycost_connection_id, operation, rows, replaced_rows, requests, bytes, total_cost (decimal string),
        hours, sha256, drop_ids, row_count, check_only, replaced_cost, unchanged.
    :raises GuardError: when a guard refuses: nothing was sent.
    :raises CloudZeroError: one of its classes; an error that a retry can't fix is also an ``AirflowFailException``.
    """

    template_fields: Sequence[str] = (
        *StreamMonthOperator.template_fields,
        *GUARD_FIELDS,
        "report_changes",
        "plan",
        "validate_with_cloudzero",
        "verify",
    )
    ui_color = "#e3f0ff"
    unrendered_fields = (*StreamMonthOperator.unrendered_fields, "plan")
    outlet_keys = (
        "month",
        "anycost_connection_id",
        "rows",
        "total_cost",
        *GuardedMonthOperator.outlet_keys,
        "unchanged",
    )

    def __init__(
        self,
        *,
        report_changes: bool | str = False,
        plan: Any = None,
        validate_with_cloudzero: bool | str = False,
        verify: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.report_changes = report_changes
        self.plan = plan
        self.validate_with_cloudzero = validate_with_cloudzero
        self.verify = verify

    def process(self, context: Context) -> SendSummary:
        """
        Check, plan and send the month.

        :param context: the task's context.
        """
        from cloudzero_provider.anycost.plan import Operation
        from cloudzero_provider.anycost.send import clear_month, send_month

        # All parameters are read before any row is.
        options = self._options(context)
        parameters = self.read_row_parameters()
        target = self.find_target(context)
        options = with_attempts(options, context, str(target), adds=options.operation is Operation.SUM)
        checked = self.checked_rows(context, target.month, parameters)
        if checked is not None:
            return send_month(target.client, target.anycost_connection_id, checked, options)
        options.journal.finish()
        self.refuse_empty(parameters.on_empty, f"rows for {target.month}")
        return clear_month(target.client, target.anycost_connection_id, target.month, options)

    def _options(self, context: Context) -> SendOptions:
        """Read the parameters, which templates may have rendered as text."""
        from cloudzero_provider.anycost.guards.passed import PassedGuards
        from cloudzero_provider.anycost.plan import Operation
        from cloudzero_provider.anycost.send_options import SendOptions

        guards = self.read_guards()
        return SendOptions(
            operation=Operation.parse(self.operation, "operation"),
            min_rows_ratio=guards.min_rows_ratio,
            max_rows_ratio=guards.max_rows_ratio,
            required_days=guards.required_days,
            contents=self._content_guards(context, guards),
            passed=PassedGuards(context.get("task_state_store")),
            check_only=guards.check_only,
            validate_with_cloudzero=read_bool("validate_with_cloudzero", self.validate_with_cloudzero, templated=True),
            verify=read_bool("verify", self.verify, templated=True),
            limits=self.read_limits(),
            claims=self.claims(context),
        )

    def _content_guards(self, context: Context, guards: MonthGuards) -> ContentGuards:
        from cloudzero_provider.anycost.guards.approved_plan import ApprovedPlan
        from cloudzero_provider.anycost.guards.contents import ContentGuards

        has_plan = self.plan is not None
        return ContentGuards(
            max_cost_change=guards.max_cost_change,
            skip_unchanged=guards.skip_unchanged,
            report_changes=read_bool("report_changes", self.report_changes, templated=True),
            approved=ApprovedPlan.parse(self.resolve_unrendered("plan", context)) if has_plan else None,
        )


class AnyCostBillingDropReadOperator(CloudZeroBaseOperator):
    """
    Read a month of an AnyCost stream back into a file.

    .. seealso:: https://docs.cloudzero.com/reference/getanycoststreamconnectionbillingdropcontents

    :param cloudzero_conn_id: the Airflow connection. (templated)
    :param anycost_connection_id: the AnyCost stream; without it, ``anycost_connection_id`` of the connection's extra.
        (templated)
    :param month: as for :class:`AnyCostBillingDropOperator`. (templated)
    :param path: the file to write, ending in ``.csv``, ``.csv.gz``, ``.jsonl`` or ``.parquet``. Values are written
        exactly as CloudZero returns them. The file appears once it is complete. (templated)
    :return: month, anycost_connection_id, path, rows, total_cost (decimal string), hours.
    :raises MonthNotFoundError: when the stream has no drop for the month.
    """

    template_fields: Sequence[str] = ("cloudzero_conn_id", "anycost_connection_id", "month", "path")
    operator_extra_links = (AnyCostConnectionLink(),)
    ui_color = "#e3f0ff"

    def __init__(
        self,
        *,
        path: str,
        anycost_connection_id: str | None = None,
        month: str | date | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.path = path
        self.anycost_connection_id = anycost_connection_id
        self.month = month

    def execute(self, context: Context) -> dict[str, Any]:
        """Read the month and write the file; return a summary."""
        show_links(self, context)
        with airflow_failures():
            return self._read(context)

    def _read(self, context: Context) -> dict[str, Any]:
        from cloudzero_provider.anycost.file_writers import write_rows, writer_for
        from cloudzero_provider.anycost.readback import hours_of, read_month, total_cost

        writer_for(self.path)
        month = resolve_month(self.month, context)
        name_instance(context, str(month))
        anycost_connection_id = self.cloudzero_hook.anycost_connection_id(self.anycost_connection_id)
        frame = read_month(self.cloudzero_hook.get_conn(), anycost_connection_id, month)
        write_rows(frame, self.path)
        summary = {
            "month": str(month),
            "anycost_connection_id": anycost_connection_id,
            "path": self.path,
            "rows": frame.height,
            "total_cost": total_cost(frame),
            "hours": hours_of(frame).n_unique(),
        }
        rows, total = counted(frame.height, "row"), summary["total_cost"]
        self.log.info("%s: read %s into %s, total cost %s", month, rows, self.path, total)
        name_instance(context, f"{month}: {rows} read, total cost {total}")
        return summary
