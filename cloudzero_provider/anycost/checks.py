"""Check rows against the Common Bill Format, before the first request."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from cloudzero_provider.anycost.column_values import convert
from cloudzero_provider.anycost.columns import (
    CBF_PAGE,
    COLUMNS,
    GUIDE_ONLY_LINEITEM_TYPES,
    REQUIRED_COLUMNS,
    REQUIRED_RULE,
    RESOURCE_ID,
    TAG_KEY,
    TAG_KEY_RULE,
    TAG_PREFIX,
    USAGE_START,
    did_you_mean,
    in_cbf_order,
    is_cost,
    is_tag,
    kind_of,
)
from cloudzero_provider.exceptions import InputError
from cloudzero_provider.values.conversion import first_with_value, is_blank
from cloudzero_provider.values.exact_sums import exact_sum
from cloudzero_provider.values.parallel import for_columns
from cloudzero_provider.values.parameters import read_bool
from cloudzero_provider.values.problems import Problems

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloudzero_provider.months import Month
    from cloudzero_provider.sources import Rows
    from cloudzero_provider.values.conversion import Converted

log = logging.getLogger(__name__)

#: The cost that every FOCUS charge has.
_FOCUS_COST = "BilledCost"


@dataclass(frozen=True)
class CheckedRows:
    """
    Rows that passed all checks, as text.

    :param frame: one string column per CBF column that has any value; null where a row has none.
    :param month: the month of all rows.
    :param totals: exact sum of each cost column, as a decimal string.
    :param where: returns the place of a row (counted from 0), for errors.
    """

    frame: pl.DataFrame
    month: Month
    totals: dict[str, str]
    where: Callable[[int], str] = field(repr=False)


def check_rows(rows: Rows, month: Month, *, allow_unknown_columns: bool = False) -> CheckedRows:
    """
    Check rows against the Common Bill Format (https://docs.cloudzero.com/docs/anycost-common-bill-format-cbf).

    :param rows: at least one row.
    :param month: the month that every row must be in.
    :param allow_unknown_columns: whether columns outside the Common Bill Format are sent.
    :raises InvalidRowsError: naming row, column, value and rule of the first few, and counting the rest.
    :raises InputError: when none of the columns is one of the Common Bill Format.
    """
    read_bool("allow_unknown_columns", allow_unknown_columns)
    _check_format(rows)
    problems = Problems(rows)
    columns: dict[str, pl.Series] = {}
    names = in_cbf_order(list(rows.columns))
    found = for_columns(lambda name: (name, convert(kind_of(name), rows.columns[name])), names, rows.count)
    for name, column in found:
        _check_name(name, rows, problems, allow_unknown_columns=allow_unknown_columns)
        problems.add_each(column.bad, name, rows.columns[name])
        _log_values(name, column)
        columns[name] = column.strings
    _check_required(columns, rows, problems)
    _check_month(columns.get(USAGE_START), rows, month, problems)
    _check_tags(columns, rows, problems)
    problems.raise_if_any()
    frame = pl.DataFrame({name: series for name, series in columns.items() if series.null_count() < len(series)})
    costs = list(filter(is_cost, frame.columns))
    totals = dict(zip(costs, for_columns(lambda name: exact_sum(frame[name]), costs, rows.count), strict=True))
    return CheckedRows(frame, month, totals, rows.where)


def _check_format(rows: Rows) -> None:
    """Refuse rows of another format in one sentence, not column by column."""
    names = list(rows.columns)
    # A column of the format resembles itself.
    if not names or any(is_tag(name) or ("/" in name and did_you_mean(name)) for name in names):
        return
    if _FOCUS_COST in names:
        way = "They look like FOCUS charges: set transform=to_cbf (from cloudzero_provider.anycost.focus)"
    else:
        way = f"Convert them with a transform, a function that returns a frame with {' and '.join(REQUIRED_COLUMNS)}"
    raise InputError(
        f"The rows are not in the Common Bill Format, so nothing was sent: none of their columns belongs to it "
        f"({_first_few(names, 'columns', most=10)}). {way}. The format: {CBF_PAGE}"
    )


def _check_name(name: str, rows: Rows, problems: Problems, *, allow_unknown_columns: bool) -> None:
    if is_tag(name):
        if not TAG_KEY.fullmatch(name.removeprefix(TAG_PREFIX)):
            problems.add(first_with_value(rows.columns[name]), name, TAG_KEY_RULE)
    elif name not in COLUMNS and not allow_unknown_columns:
        hint = did_you_mean(name)
        rule = f"not a column of the Common Bill Format{hint} (allow_unknown_columns=True sends it anyway)"
        problems.add(first_with_value(rows.columns[name]), name, rule)


def _log_values(name: str, column: Converted) -> None:
    if column.truncated:
        unit = "hour" if name == USAGE_START else "second"
        log.info("%s: truncated %s timestamps to the start of their %s", name, f"{column.truncated:,}", unit)
    if name == "lineitem/type" and not GUIDE_ONLY_LINEITEM_TYPES.isdisjoint(column.strings.unique()):
        log.warning(
            "lineitem/type: %s are in the CBF guide but not in the API's schema, so CloudZero may reject them",
            " and ".join(sorted(GUIDE_ONLY_LINEITEM_TYPES)),
        )


def _check_required(columns: dict[str, pl.Series], rows: Rows, problems: Problems) -> None:
    for name in REQUIRED_COLUMNS:
        if name not in columns:
            problems.add(0, name, REQUIRED_RULE)
        else:
            problems.add_all(is_blank(rows.columns[name]), name, REQUIRED_RULE)


def _check_month(starts: pl.Series | None, rows: Rows, month: Month, problems: Problems) -> None:
    if starts is None:
        return
    elsewhere = (~starts.str.starts_with(str(month))).fill_null(False)
    if elsewhere.any():
        others = sorted(starts.filter(elsewhere).str.slice(0, 7).unique().to_list())
        rule = f"not in {month} (UTC): a drop holds one month, and the rows include {_first_few(others, 'months')}"
        rule += f"; {rows.month_hint}" if rows.month_hint else ""
        problems.add_all(elsewhere, USAGE_START, rule, rows.columns[USAGE_START])


def _check_tags(columns: dict[str, pl.Series], rows: Rows, problems: Problems) -> None:
    tags = [name for name in columns if is_tag(name)]
    if not tags:
        return
    no_resource = columns[RESOURCE_ID].is_null() if RESOURCE_ID in columns else pl.repeat(True, rows.count, eager=True)
    for name in tags:
        without_resource = columns[name].is_not_null() & no_resource
        problems.add_all(
            without_resource, name, f"a tag requires a {RESOURCE_ID} in the same row ({CBF_PAGE})", rows.columns[name]
        )


def _first_few(names: list[str], what: str, most: int = 3) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} other {what}" if len(names) > most else "")
