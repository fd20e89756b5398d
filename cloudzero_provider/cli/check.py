"""``cloudzero-provider check``"""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cloudzero_provider.cli.output import ExitCode, collected_log, console, exits_on_error, print_json, print_report
from cloudzero_provider.months import Month
from cloudzero_provider.values.limits import MAX_BODY_BYTES, MAX_MONTH_BYTES, MAX_MONTH_ROWS

if TYPE_CHECKING:
    import logging

    from cloudzero_provider.cli.bill import CheckedBill, CheckOptions
    from cloudzero_provider.sources import FileStore

_FOCUS = "Options of --focus"
_LIMITS = "Limits"


def check(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Paths, patterns or URIs, read as one table.")],
    *,
    month: Annotated[str, typer.Option(metavar="YYYY-MM", help="The month that every row must be in.")],
    transform: Annotated[
        list[str],
        typer.Option(
            metavar="MODULE:FUNCTION",
            help="A function, or a list of functions, applied to the rows before the checks. Repeatable.",
        ),
    ] = [],  # noqa: B006
    focus: Annotated[bool, typer.Option("--focus", help="The rows are FOCUS charges: convert them first.")] = False,
    operation: Annotated[str, typer.Option(help="replace_drop, replace_hourly or sum.")] = "replace_drop",
    allow_unknown_columns: Annotated[
        bool, typer.Option("--allow-unknown-columns", help="Accept columns that are not in the Common Bill Format.")
    ] = False,
    allow_equal_files: Annotated[
        bool, typer.Option("--allow-equal-files", help="Accept two files with the same rows.")
    ] = False,
    problems: Annotated[
        str | None,
        typer.Option(metavar="FILE.csv", help="Write every problem to this .csv or .jsonl file, which is replaced."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of the report.")] = False,
    max_body_bytes: Annotated[
        int, typer.Option(help="Largest request; CloudZero accepts 5 MB.", rich_help_panel=_LIMITS)
    ] = MAX_BODY_BYTES,
    max_month_bytes: Annotated[
        int, typer.Option(help="Largest month; CloudZero accepts 70 MB.", rich_help_panel=_LIMITS)
    ] = MAX_MONTH_BYTES,
    max_month_rows: Annotated[
        int, typer.Option(help="Most rows of a month; CloudZero accepts 1,000,000.", rich_help_panel=_LIMITS)
    ] = MAX_MONTH_ROWS,
    month_from: Annotated[
        str | None, typer.Option(help="charge_period (default) or billing_period.", rich_help_panel=_FOCUS)
    ] = None,
    currency: Annotated[
        str | None, typer.Option(help="The currency of all charges. Default: USD.", rich_help_panel=_FOCUS)
    ] = None,
    tag_columns: Annotated[
        list[str], typer.Option(help="A column to send as a tag. Repeatable.", rich_help_panel=_FOCUS)
    ] = [],  # noqa: B006
    duplicate_tags: Annotated[
        str | None, typer.Option(help="own (default), first or last.", rich_help_panel=_FOCUS)
    ] = None,
    resource_from: Annotated[
        list[str],
        typer.Option(
            help="A column, or tag:KEY, that forms the resource of rows without one. Repeatable.",
            rich_help_panel=_FOCUS,
        ),
    ] = [],  # noqa: B006
    lineitem_id_column: Annotated[
        str | None, typer.Option(help="A column to send as lineitem/id.", rich_help_panel=_FOCUS)
    ] = None,
    negative_quantity: Annotated[
        str | None, typer.Option(help="keep (default) or zero.", rich_help_panel=_FOCUS)
    ] = None,
    unused_commitment: Annotated[
        str | None, typer.Option(help="Usage (default) or CommittedUseVacancy.", rich_help_panel=_FOCUS)
    ] = None,
    recurring_commitment: Annotated[
        str | None,
        typer.Option(help="CommittedUsePurchase (default) or CommittedUseRecurringFee.", rich_help_panel=_FOCUS),
    ] = None,
    id_separator: Annotated[
        str | None, typer.Option(help="Replaces : and / in resource ids. Default: |", rich_help_panel=_FOCUS)
    ] = None,
) -> None:
    """
    Check a month of billing data as AnyCostBillingDropOperator does, without sending it.

    Nothing is sent anywhere, and no Airflow is needed. Exit codes: 0 if the month can be sent, 1 if something is wrong
    with the rows, 2 for wrong usage.
    """
    from cloudzero_provider.cli.bill import CheckOptions, files_to_check
    from cloudzero_provider.cli.problem_list import check_path, write_problems

    # What a user's module prints must not get between the lines of the report.
    with exits_on_error(), collected_log() as notes, redirect_stdout(sys.stderr):
        from cloudzero_provider.anycost.plan import Limits, Operation
        from cloudzero_provider.cli.transforms import chosen_transforms

        read_month = Month.parse(month)
        read_operation = Operation.parse(operation, "operation")
        limits = Limits(max_body_bytes, max_month_bytes, max_month_rows)
        store = _store_for(files)
        focus_options: dict[str, Any] = {
            "month_from": month_from,
            "currency": currency,
            "tag_columns": tag_columns,
            "duplicate_tags": duplicate_tags,
            "resource_from": resource_from,
            "lineitem_id_column": lineitem_id_column,
            "negative_quantity": negative_quantity,
            "unused_commitment": unused_commitment,
            "recurring_commitment": recurring_commitment,
            "id_separator": id_separator,
        }
        options = CheckOptions(
            files_to_check(files, store),
            read_month,
            chosen_transforms(transform, focus=focus, focus_options=focus_options),
            read_operation,
            limits,
            allow_unknown_columns,
            allow_equal_files,
        )
        if problems is not None:
            check_path(problems, options.files)
        bill = _check(options, store)
        if problems is not None:
            write_problems(bill.problems, problems)
    _print(bill, notes, problems, as_json=json)
    raise typer.Exit(ExitCode.GOOD if bill.error is None else ExitCode.PROBLEMS)


def _store_for(files: list[str]) -> FileStore | None:
    if not any("://" in name for name in files):
        return None
    # Files elsewhere are read with Airflow's connections; only then it is loaded.
    from cloudzero_provider.cli.connection import object_storage

    return object_storage()


def _check(options: CheckOptions, store: FileStore | None) -> CheckedBill:
    from cloudzero_provider.cli.bill import check_bill, number_of_steps
    from cloudzero_provider.cli.progress import Steps

    with Steps(console(stderr=True), number_of_steps(options)).shown() as steps:
        return check_bill(options, store, steps)


def _print(bill: CheckedBill, notes: list[logging.LogRecord], listed_in: str | None, *, as_json: bool) -> None:
    if as_json:
        from cloudzero_provider.cli.check_json import as_object

        print_json(as_object(bill, notes))
    else:
        from cloudzero_provider.cli.report import report

        print_report(report(bill, notes, listed_in))
