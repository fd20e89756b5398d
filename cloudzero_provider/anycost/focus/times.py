"""When a charge was: its hours in UTC, and the month it is sent in."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import polars as pl

from cloudzero_provider.anycost.focus.options import MonthFrom
from cloudzero_provider.texts import as_text, moment_text
from cloudzero_provider.times import NOT_TIMESTAMP
from cloudzero_provider.timestamps import utc_timestamps

if TYPE_CHECKING:
    from cloudzero_provider.problems import Problems

log = logging.getLogger(__name__)

_EVERY_CHARGE = "every charge needs a value with month_from='billing_period'"


def usage_times(
    columns: dict[str, pl.Series], month_from: MonthFrom, problems: Problems
) -> tuple[pl.Series, pl.Series]:
    """
    Write start and end of the charges in UTC.

    :param columns: of FOCUS.
    :param month_from: which period says what month a charge is sent in.
    :param problems: what is wrong is noted there.
    :return: ``time/usage_start`` and ``time/usage_end``.
    """
    starts = _utc(columns["ChargePeriodStart"], problems)
    ends = _utc(columns["ChargePeriodEnd"], problems)
    if month_from is MonthFrom.CHARGE_PERIOD:
        _log_other_months(_elsewhere(starts, _utc(columns["BillingPeriodStart"], None)))
        return starts, ends
    problems.add_all(columns["BillingPeriodStart"].is_null(), "BillingPeriodStart", _EVERY_CHARGE)
    billing = _utc(columns["BillingPeriodStart"], problems)
    moved = _elsewhere(starts, billing)
    if moved.any():
        log.warning(
            "%s charges of another month than their billing period's are sent at the start of the billing period",
            f"{moved.sum():,}",
        )
    # The end of a charge that was moved would lie before its start, or a month behind it.
    return billing.zip_with(moved, starts), ends.set(moved, None)


def _utc(times: pl.Series, problems: Problems | None) -> pl.Series:
    given = times.drop_nulls().unique()
    written = utc_timestamps(as_text(given, moment_text)).texts
    in_utc = times.replace_strict(given, written, default=None, return_dtype=pl.String)
    if problems is not None:
        problems.add_all(in_utc.is_null() & times.is_not_null(), times.name, NOT_TIMESTAMP, times)
    return in_utc


def _elsewhere(starts: pl.Series, billing: pl.Series) -> pl.Series:
    return (starts.str.slice(0, 7) != billing.str.slice(0, 7)).fill_null(value=False)


def _log_other_months(elsewhere: pl.Series) -> None:
    if elsewhere.any():
        log.warning(
            "%s charges have a BillingPeriodStart in another month than their ChargePeriodStart (corrections, as a "
            "rule): their month is that of the ChargePeriodStart (month_from='billing_period' sends them in the "
            "billing period's)",
            f"{elsewhere.sum():,}",
        )
