"""Check rows against the Common Bill Format, before the first request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from cloudzero_provider.anycost.columns import is_cost
from cloudzero_provider.anycost.row_rules import RowRules, check_format
from cloudzero_provider.values.exact_sums import exact_sum
from cloudzero_provider.values.parallel import for_columns
from cloudzero_provider.values.parameters import read_bool
from cloudzero_provider.values.problems import Problems

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloudzero_provider.months import Month
    from cloudzero_provider.sources import Rows


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


def check_rows(rows: Rows, month: Month, *, allow_unknown_columns: bool = False, in_csv: bool = False) -> CheckedRows:
    """
    Check rows against the Common Bill Format (https://docs.cloudzero.com/docs/anycost-common-bill-format-cbf).

    :param rows: at least one row.
    :param month: the month that every row must be in.
    :param allow_unknown_columns: whether columns outside the Common Bill Format are sent.
    :param in_csv: whether they are sent as CSV text, which cannot hold everything that JSON can.
    :raises InvalidRowsError: naming row, column, value and rule of the first few, and counting the rest.
    :raises InputError: when none of the columns is one of the Common Bill Format.
    """
    read_bool("allow_unknown_columns", allow_unknown_columns)
    read_bool("in_csv", in_csv)
    check_format(list(rows.columns))
    problems = Problems(rows)
    rules = RowRules(month, allow_unknown_columns=allow_unknown_columns, in_csv=in_csv)
    columns = rules.apply(rows, problems)
    rules.log_values()
    problems.raise_if_any()
    return as_checked({name: texts for name, texts in columns.items() if texts.null_count() < len(texts)}, rows, month)


def as_checked(columns: dict[str, pl.Series], rows: Rows, month: Month) -> CheckedRows:
    """
    Return rows without problems, and their totals.

    :param columns: as text.
    :param rows: the rows as given.
    :param month: the month of all rows.
    """
    frame = pl.DataFrame(columns)
    costs = list(filter(is_cost, frame.columns))
    totals = dict(zip(costs, for_columns(lambda name: exact_sum(frame[name]), costs, rows.count), strict=True))
    return CheckedRows(frame, month, totals, rows.where)
