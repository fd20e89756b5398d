"""Plan a month without sending it: report what would change."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING

import polars as pl

from cloudzero_provider.anycost.comparison.options import DEFAULT_BY
from cloudzero_provider.anycost.comparison.report import plan_report
from cloudzero_provider.anycost.plan import empty_plan, make_plan
from cloudzero_provider.anycost.readback import read_month
from cloudzero_provider.exceptions import AuthenticationError, MonthNotFoundError

if TYPE_CHECKING:
    from cloudzero_provider.anycost.checks import CheckedRows
    from cloudzero_provider.anycost.comparison.report import PlanReport
    from cloudzero_provider.anycost.plan import Limits, Operation, Plan
    from cloudzero_provider.client import Client
    from cloudzero_provider.months import Month

log = logging.getLogger(__name__)


def plan_month(
    client: Client,
    anycost_connection_id: str,
    checked: CheckedRows,
    operation: Operation,
    limits: Limits,
    by: str = DEFAULT_BY,
) -> PlanReport:
    """
    Report what sending a month would change. Nothing is written.

    :param client: the client to read with.
    :param anycost_connection_id: the AnyCost stream.
    :param checked: the rows.
    :param operation: how they would be sent.
    :param limits: of bodies and months.
    :param by: the column that changes are listed by, besides the day.
    :raises InputError: when the rows can't be sent.
    :raises CloudZeroError: when CloudZero can't be read, unless the key may not read months, which the report says.
    """
    plan = make_plan(checked, operation, limits)
    return _report(client, anycost_connection_id, plan, limits, checked.frame, by)


def plan_clearing(
    client: Client, anycost_connection_id: str, month: Month, limits: Limits, by: str = DEFAULT_BY
) -> PlanReport:
    """
    Report what emptying a month would change. Nothing is written.

    :param client: the client to read with.
    :param anycost_connection_id: the AnyCost stream.
    :param month: the month.
    :param limits: of bodies and months.
    :param by: the column that changes are listed by, besides the day.
    :raises CloudZeroError: when CloudZero can't be read.
    """
    return _report(client, anycost_connection_id, empty_plan(month), limits, pl.DataFrame(), by)


def _report(
    client: Client, anycost_connection_id: str, plan: Plan, limits: Limits, frame: pl.DataFrame, by: str
) -> PlanReport:
    held, problem = None, None
    try:
        held = read_month(client, anycost_connection_id, plan.month)
    except MonthNotFoundError:
        log.info("%s: CloudZero holds nothing for the month", plan.month)
    except AuthenticationError as error:
        # A key that CloudZero does not know at all can't send either.
        if error.status != HTTPStatus.FORBIDDEN:
            raise
        problem = f"What CloudZero holds for {plan.month} could not be read, so nothing is compared: {error}"
        log.warning("%s", problem)
    return plan_report(plan, anycost_connection_id, limits, frame, held, by=by, held_problem=problem)
