"""Aggregate rows with polars, column by column; the work behind :func:`~cloudzero_provider.anycost.aggregate`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import polars as pl

from cloudzero_provider.anycost.aggregation.cost_sums import sum_costs
from cloudzero_provider.anycost.aggregation.groups import Groups, as_codes
from cloudzero_provider.anycost.aggregation.options import ALL_TAGS, Period
from cloudzero_provider.anycost.aggregation.resource_ids import stand_in_resource_ids
from cloudzero_provider.anycost.column_values import convert
from cloudzero_provider.anycost.columns import (
    COLUMNS,
    COST,
    COST_COLUMNS,
    LINEITEM_TYPE,
    REQUIRED_COLUMNS,
    REQUIRED_RULE,
    RESOURCE_ID,
    USAGE_AMOUNT,
    USAGE_START,
    USAGE_UNITS,
    did_you_mean,
    in_cbf_order,
    is_cost,
    is_tag,
    kind_of,
)
from cloudzero_provider.exceptions import InputError
from cloudzero_provider.sources import Rows, plain_type
from cloudzero_provider.values.conversion import is_blank
from cloudzero_provider.values.counted import counted
from cloudzero_provider.values.problems import Problems
from cloudzero_provider.values.python_values import no_strings
from cloudzero_provider.values.row_places import row_number, where_in

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

log = logging.getLogger(__name__)

#: What CloudZero assumes where a row has no value.
_BLANK_TYPE = "Usage"
_BLANK_AMOUNT = "1"
_CATEGORIES = {name.partition("/")[0] for name in COLUMNS}


def aggregate_rows(frame: pl.DataFrame, by: Sequence[str], period: Period) -> pl.DataFrame:
    """
    Aggregate rows.

    :param frame: rows in CBF columns.
    :param by: the columns to keep; ``resource/tag:*`` stands for all tags.
    :param period: what ``time/usage_start`` is truncated to.
    :raises InputError: when a column to keep is missing.
    :raises InvalidRowsError: when values can't be read, naming row, column, value and rule.
    """
    if frame.is_empty():
        return frame
    where = where_in(frame)
    frame = frame.with_columns(map(plain_type, frame))
    kept = _key_columns(frame, by)
    summed = _summed_columns(frame, kept)
    reader = _ColumnReader(frame, period, where)
    groups = Groups.of([as_codes(reader.key(name)) for name in kept])
    amounts = {name: reader.strings(name) for name in summed}
    reader.finish()
    first_rows = _ColumnReader(frame.select(kept)[groups.first_rows], period, row_number)
    columns = {name: first_rows.key(name) for name in kept} | _sums(amounts, groups)
    if RESOURCE_ID not in kept and any(map(is_tag, kept)):
        columns[RESOURCE_ID] = stand_in_resource_ids(pl.DataFrame({name: columns[name] for name in kept}))
    _report(frame, kept, summed, period, groups)
    result = pl.DataFrame({name: columns[name] for name in in_cbf_order(list(columns))})
    return result.sort(USAGE_START, *(name for name in kept if name != USAGE_START))


def _key_columns(frame: pl.DataFrame, by: Sequence[str]) -> list[str]:
    """List the columns in which the rows of a group are equal."""
    present = frame.columns
    missing = [name for name in by if name not in present and name != ALL_TAGS]
    tags = [name for name in missing if is_tag(name)]
    others = [name for name in missing if not is_tag(name)]
    if others:
        raise InputError(
            f"aggregate: the rows have no column {', '.join(others)}; their columns are {', '.join(present)}."
        )
    if tags:
        found = ", ".join(filter(is_tag, present)) or "none"
        log.warning("aggregate: no row has %s; the tags present are: %s", ", ".join(tags), found)
    named = [name for name in present if name in (*by, LINEITEM_TYPE) or (is_tag(name) and ALL_TAGS in by)]
    return in_cbf_order([USAGE_START, *named])


def _summed_columns(frame: pl.DataFrame, kept: Sequence[str]) -> list[str]:
    """List the columns to sum. Amounts in different units have no sum."""
    costs = [name for name in COST_COLUMNS if name in frame.columns or name == COST]
    units = USAGE_UNITS in frame.columns and not is_blank(frame[USAGE_UNITS]).all()
    has_sum = USAGE_UNITS in kept or not units
    return [*costs, USAGE_AMOUNT] if USAGE_AMOUNT in frame.columns and has_sum else costs


class _ColumnReader:
    """Reads columns as text and collects the problems in them."""

    def __init__(self, frame: pl.DataFrame, period: Period, where: Callable[[int], str]) -> None:
        self.frame = frame
        self.period = period
        self.problems = Problems(Rows({}, frame.height, where))

    def strings(self, name: str) -> pl.Series:
        """Read a column as strings."""
        if name not in self.frame.columns:
            self.problems.add(0, name, REQUIRED_RULE)
            return no_strings(self.frame.height)
        values = self.frame[name]
        column = convert(kind_of(name), values)
        self.problems.add_each(column.bad, name, values)
        if name in REQUIRED_COLUMNS:
            self.problems.add_all(is_blank(values), name, REQUIRED_RULE)
        return column.strings

    def key(self, name: str) -> pl.Series:
        """Read a column in which the rows of a group are equal."""
        strings = self.strings(name)
        if name == LINEITEM_TYPE:
            return strings.fill_null(_BLANK_TYPE)
        if name == USAGE_START and self.period is Period.DAY:
            return strings.str.head(len("2026-03-16")) + "T00:00:00Z"
        return strings

    def finish(self) -> None:
        """
        Raise if any problem was found. A column that looks misspelled is one, since it would be lost.

        :raises InvalidRowsError: naming row, column, value and rule of the first few, and counting the rest.
        """
        for name in self.frame.columns:
            if name not in COLUMNS and not is_tag(name) and name.partition("/")[0].lower() in _CATEGORIES:
                self.problems.add(0, name, f"not a column of the Common Bill Format{did_you_mean(name)}")
        self.problems.raise_if_any()


def _sums(amounts: dict[str, pl.Series], groups: Groups) -> dict[str, pl.Series]:
    sums = sum_costs({name: values for name, values in amounts.items() if is_cost(name)}, groups)
    if USAGE_AMOUNT in amounts and amounts[USAGE_AMOUNT].count():
        sums[USAGE_AMOUNT] = groups.sums(amounts[USAGE_AMOUNT].fill_null(_BLANK_AMOUNT))
    return sums


def _report(frame: pl.DataFrame, kept: Sequence[str], summed: Sequence[str], period: Period, groups: Groups) -> None:
    left_out = [name for name in frame.columns if name not in kept and name not in summed]
    log.info(
        "Aggregated %s to %s, one per %s and %s. Left out: %s",
        counted(frame.height, "row"),
        f"{len(groups):,}",
        period.value,
        ", ".join(name for name in kept if name != USAGE_START) or "nothing else",
        ", ".join(left_out) or "nothing",
    )
