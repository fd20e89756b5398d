"""The rules of the Common Bill Format, for rows that are given at once or in batches."""

from __future__ import annotations

import logging
from collections import Counter
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
    Kind,
    did_you_mean,
    in_cbf_order,
    is_tag,
    kind_of,
)
from cloudzero_provider.exceptions import InputError
from cloudzero_provider.values.conversion import first_with_value, is_blank
from cloudzero_provider.values.parallel import for_columns

if TYPE_CHECKING:
    from cloudzero_provider.months import Month
    from cloudzero_provider.sources import Rows
    from cloudzero_provider.values.conversion import Converted
    from cloudzero_provider.values.problems import Problems
    from cloudzero_provider.values.python_values import Values

log = logging.getLogger(__name__)

#: The cost that every FOCUS charge has.
_FOCUS_COST = "BilledCost"
_NUL = "\0"


def check_format(names: list[str]) -> None:
    """
    Refuse rows of another format in one sentence, not column by column.

    :param names: of all columns.
    :raises InputError: when none of them belongs to the Common Bill Format.
    """
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


@dataclass
class OtherMonths:
    """
    The rule that all rows are in one month. Its text names the other months that were found.

    :param month: the month.
    """

    month: Month
    found: set[str] = field(default_factory=set)
    hint: str = ""

    def __str__(self) -> str:
        others = _first_few(sorted(self.found), "months")
        rule = f"not in {self.month} (UTC): a drop holds one month, and the rows include {others}"
        return rule + (f"; {self.hint}" if self.hint else "")


class RowRules:
    """
    The rules, and what was seen of the rows that they were applied to.

    :param month: the month that every row must be in.
    :param allow_unknown_columns: whether columns outside the Common Bill Format are sent.
    :param in_csv: whether they are sent as CSV text, which cannot hold everything that JSON can.
    """

    def __init__(self, month: Month, *, allow_unknown_columns: bool, in_csv: bool = False) -> None:
        self.month = month
        self.allow_unknown_columns = allow_unknown_columns
        self.in_csv = in_csv
        self._other_months = OtherMonths(month)
        self._truncated: Counter[str] = Counter()
        self._guide_only = False

    def apply(self, rows: Rows, problems: Problems) -> dict[str, pl.Series]:
        """
        Convert and check rows.

        :param rows: the rows.
        :param problems: receives what is wrong with them.
        :return: the columns as text, in the order of the documentation.
        """
        columns: dict[str, pl.Series] = {}
        names = in_cbf_order(list(rows.columns))
        found = for_columns(lambda name: (name, convert(kind_of(name), rows.columns[name])), names, rows.count)
        for name, column in found:
            self._check_name(name, rows.columns[name], problems)
            problems.add_each(column.bad, name, rows.columns[name])
            self._note_values(name, column)
            if self.in_csv and kind_of(name) is Kind.TEXT:
                _check_nul(name, column.strings, rows, problems)
            columns[name] = column.strings
        self._check_required(rows, problems)
        self._check_month(columns.get(USAGE_START), rows, problems)
        _check_tags(columns, rows, problems)
        return columns

    def note_hint(self, hint: str) -> None:
        """
        Remember what to do about rows of other months, for their error.

        :param hint: the hint; empty if there is none.
        """
        self._other_months.hint = hint or self._other_months.hint

    def log_values(self) -> None:
        """Log what is remarkable about the values of all rows."""
        if self._guide_only:
            log.warning(
                "lineitem/type: %s are in the CBF guide but not in the API's schema, so CloudZero may reject them",
                " and ".join(sorted(GUIDE_ONLY_LINEITEM_TYPES)),
            )
        for name, count in self._truncated.items():
            unit = "hour" if name == USAGE_START else "second"
            log.info("%s: truncated %s timestamps to the start of their %s", name, f"{count:,}", unit)

    def broken_by_name(self, name: str) -> str | None:
        """
        Return the rule that a column's name breaks.

        :param name: the column.
        """
        if is_tag(name):
            return None if TAG_KEY.fullmatch(name.removeprefix(TAG_PREFIX)) else TAG_KEY_RULE
        if self.in_csv and (_NUL in name or not name.strip()):
            return "the header of a CSV file needs a name for each column, without NUL characters"
        if name in COLUMNS or self.allow_unknown_columns:
            return None
        hint = did_you_mean(name)
        return f"not a column of the Common Bill Format{hint} (allow_unknown_columns=True sends it anyway)"

    def _check_name(self, name: str, values: Values, problems: Problems) -> None:
        rule = self.broken_by_name(name)
        if rule is not None:
            self._add_name(name, values, rule, problems)

    def _add_name(self, name: str, values: Values, rule: str, problems: Problems) -> None:
        """Add a problem of a column's name, once for all rows."""
        problems.add(first_with_value(values) or 0, name, rule)

    def _add_missing(self, name: str, problems: Problems) -> None:
        """Add a problem of a required column that the rows lack."""
        problems.add(0, name, REQUIRED_RULE)

    def _note_values(self, name: str, column: Converted) -> None:
        if column.truncated:
            self._truncated[name] += column.truncated
        if name == "lineitem/type" and not GUIDE_ONLY_LINEITEM_TYPES.isdisjoint(column.strings.unique()):
            self._guide_only = True

    def _check_required(self, rows: Rows, problems: Problems) -> None:
        for name in REQUIRED_COLUMNS:
            if name not in rows.columns:
                self._add_missing(name, problems)
            else:
                problems.add_all(is_blank(rows.columns[name]), name, REQUIRED_RULE)

    def _check_month(self, starts: pl.Series | None, rows: Rows, problems: Problems) -> None:
        self.note_hint(rows.month_hint)
        if starts is None:
            return
        elsewhere = (~starts.str.starts_with(str(self.month))).fill_null(False)
        if elsewhere.any():
            self._other_months.found.update(starts.filter(elsewhere).str.slice(0, 7).unique().to_list())
            problems.add_all(elsewhere, USAGE_START, self._other_months, rows.columns[USAGE_START])


def _check_nul(name: str, strings: pl.Series, rows: Rows, problems: Problems) -> None:
    with_nul = strings.str.contains(_NUL, literal=True).fill_null(False)
    if with_nul.any():
        problems.add_all(with_nul, name, "has a NUL character, which CSV readers refuse", rows.columns[name])


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
