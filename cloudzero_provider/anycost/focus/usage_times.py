"""Convert the times of charges to UTC, and assign charges to months."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from cloudzero_provider.anycost.focus.billing_periods import billing_months
from cloudzero_provider.anycost.focus.options import MonthFrom
from cloudzero_provider.values.conversion import as_text, timestamp_text
from cloudzero_provider.values.counted import counted
from cloudzero_provider.values.distinct_values import looked_up
from cloudzero_provider.values.month_hints import add_hint
from cloudzero_provider.values.time_formats import NOT_TIMESTAMP
from cloudzero_provider.values.timestamps import utc_timestamps

if TYPE_CHECKING:
    import polars as pl

    from cloudzero_provider.values.problems import Problems

log = logging.getLogger(__name__)

_VALUE_NEEDED = "every charge needs a value with month_from='billing_period'"


def usage_times(
    columns: dict[str, pl.Series], month_from: MonthFrom, problems: Problems
) -> tuple[pl.Series, pl.Series]:
    """
    Convert the start and end of charges to UTC.

    :param columns: FOCUS columns.
    :param month_from: the period that determines the month of a charge.
    :param problems: receives invalid times and periods.
    :return: ``time/usage_start`` and ``time/usage_end``.
    """
    starts = _utc(columns["ChargePeriodStart"], problems)
    ends = _utc(columns["ChargePeriodEnd"], problems)
    if month_from is MonthFrom.CHARGE_PERIOD:
        _warn_of_other_months(starts, _billing_months(columns, None)["month"])
        return starts, ends
    problems.add_all(columns["BillingPeriodStart"].is_null(), "BillingPeriodStart", _VALUE_NEEDED)
    billed = _billing_months(columns, problems)
    moved = _in_another_month(starts, billed["month"])
    # The end of a charge that was moved would be before its start, or a month after it.
    return starts.zip_with(~moved, _moved_into_month(starts, billed, moved)), ends.set(moved, None)


def _billing_months(columns: dict[str, pl.Series], problems: Problems | None) -> pl.DataFrame:
    starts, ends = (_utc(columns[name], problems) for name in ("BillingPeriodStart", "BillingPeriodEnd"))
    return billing_months(starts, ends, problems)


def _moved_into_month(starts: pl.Series, billed: pl.DataFrame, moved: pl.Series) -> pl.Series:
    """Return the last hour of the month for charges at the end of their billing period, the first hour for others."""
    late = ((starts > billed["last"]) & (starts < billed["end"])).fill_null(value=False)
    for count, where in ((moved & ~late).sum(), "at the start of"), ((moved & late).sum(), "in the last hour of"):
        if count:
            log.warning(
                "%s of another month (UTC) than the billing period, sent %s the billing period's month",
                counted(int(count), "charge"),
                where,
            )
    return billed["last"].zip_with(late, billed["first"])


def _utc(times: pl.Series, problems: Problems | None) -> pl.Series:
    given = times.drop_nulls().unique()
    written = utc_timestamps(as_text(given, timestamp_text)).strings
    in_utc = looked_up(times, given, written)
    if problems is not None:
        problems.add_all(in_utc.is_null() & times.is_not_null(), times.name, NOT_TIMESTAMP, times)
    return in_utc


def _in_another_month(starts: pl.Series, months: pl.Series) -> pl.Series:
    return (starts.str.slice(0, 7) != months).fill_null(value=False)


def _warn_of_other_months(starts: pl.Series, months: pl.Series) -> None:
    count = _in_another_month(starts, months).sum()
    if count:
        log.warning(
            "%s with a billing period of another month than the ChargePeriodStart (usually corrections), sent in the "
            "month of the ChargePeriodStart (month_from='billing_period' sends them in the billing period's month)",
            counted(int(count), "charge"),
        )
        add_hint(
            int(count),
            "charge",
            "with a billing period of another month than the ChargePeriodStart: "
            "to_cbf(month_from='billing_period') sends them in the month of their billing period",
        )
