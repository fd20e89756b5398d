"""When a charge was: its hours in UTC, and the month it is sent in."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import polars as pl

from cloudzero_provider.anycost.focus.billing_periods import billed_in
from cloudzero_provider.anycost.focus.options import MonthFrom
from cloudzero_provider.values.conversion import as_text, moment_text
from cloudzero_provider.values.month_hints import give_hint
from cloudzero_provider.values.time_formats import NOT_TIMESTAMP
from cloudzero_provider.values.timestamps import utc_timestamps

if TYPE_CHECKING:
    from cloudzero_provider.values.problems import Problems

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
        _note_other_months(starts, _billed_in(columns, None)["month"])
        return starts, ends
    problems.add_all(columns["BillingPeriodStart"].is_null(), "BillingPeriodStart", _EVERY_CHARGE)
    billed = _billed_in(columns, problems)
    moved = _elsewhere(starts, billed["month"])
    # The end of a charge that was moved would lie before its start, or a month behind it.
    return starts.zip_with(~moved, _moved(starts, billed, moved)), ends.set(moved, None)


def _billed_in(columns: dict[str, pl.Series], problems: Problems | None) -> pl.DataFrame:
    starts, ends = (_utc(columns[name], problems) for name in ("BillingPeriodStart", "BillingPeriodEnd"))
    return billed_in(starts, ends, problems)


def _moved(starts: pl.Series, billed: pl.DataFrame, moved: pl.Series) -> pl.Series:
    """Take the nearest hour of the month for a charge at the end of its billing period, the first for all others."""
    late = ((starts > billed["last"]) & (starts < billed["end"])).fill_null(value=False)
    for count, where in ((moved & ~late).sum(), "at the start of"), ((moved & late).sum(), "in the last hour of"):
        if count:
            log.warning(
                "%s charges of another month (UTC) than their billing period's are sent %s the month of their billing "
                "period",
                f"{count:,}",
                where,
            )
    return billed["last"].zip_with(late, billed["first"])


def _utc(times: pl.Series, problems: Problems | None) -> pl.Series:
    given = times.drop_nulls().unique()
    written = utc_timestamps(as_text(given, moment_text)).texts
    in_utc = times.replace_strict(given, written, default=None, return_dtype=pl.String)
    if problems is not None:
        problems.add_all(in_utc.is_null() & times.is_not_null(), times.name, NOT_TIMESTAMP, times)
    return in_utc


def _elsewhere(starts: pl.Series, months: pl.Series) -> pl.Series:
    return (starts.str.slice(0, 7) != months).fill_null(value=False)


def _note_other_months(starts: pl.Series, months: pl.Series) -> None:
    count = _elsewhere(starts, months).sum()
    if count:
        log.warning(
            "%s charges have a billing period of another month than their ChargePeriodStart (corrections, as a "
            "rule): their month is that of the ChargePeriodStart (month_from='billing_period' sends them in the "
            "billing period's)",
            f"{count:,}",
        )
        give_hint(
            f"{count:,} charges have a billing period of another month than their ChargePeriodStart: "
            "to_cbf(month_from='billing_period') sends them in the month of their billing period"
        )
