"""Check rows that come in batches as if they were given at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from cloudzero_provider.anycost.checks import CheckedRows, as_checked
from cloudzero_provider.anycost.columns import REQUIRED_RULE
from cloudzero_provider.anycost.row_rules import RowRules, check_format
from cloudzero_provider.sources import Rows
from cloudzero_provider.values.batch_problems import BatchProblems
from cloudzero_provider.values.conversion import first_with_value
from cloudzero_provider.values.parameters import read_bool
from cloudzero_provider.values.problems import Problems
from cloudzero_provider.values.python_values import no_strings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloudzero_provider.months import Month
    from cloudzero_provider.values.python_values import Values


def check_batches(
    batches: Iterable[Rows], month: Month, *, allow_unknown_columns: bool = False, in_csv: bool = False
) -> Iterator[CheckedRows]:
    """
    Check rows as :func:`~cloudzero_provider.anycost.checks.check_rows` does, batch by batch.

    The error is raised after the last batch, since it counts the problems of all of them: what was done with the
    batches must then be undone. It is the same error as if all rows were checked at once. If only some batches have a
    required column, each row of the others breaks the rule.

    :param batches: the rows; read one at a time, and not held.
    :param month: the month that every row must be in.
    :param allow_unknown_columns: whether columns outside the Common Bill Format are sent.
    :param in_csv: whether they are sent as CSV text, which cannot hold everything that JSON can.
    :return: each batch that has rows, until there is a problem. It keeps its columns without a value, so that all
        batches of a file have the same ones. Its totals are its own.
    :raises InvalidRowsError: naming row, column, value and rule of the first few, and counting the rest.
    :raises InputError: when none of the columns is one of the Common Bill Format.
    """
    read_bool("allow_unknown_columns", allow_unknown_columns)
    read_bool("in_csv", in_csv)
    checks = _BatchChecks(_BatchRules(month, allow_unknown_columns=allow_unknown_columns, in_csv=in_csv))
    for rows in batches:
        columns = checks.check(rows)
        if columns is not None:
            yield as_checked(columns, rows, month)
    checks.raise_if_any()


class _BatchRules(RowRules):
    """
    The rules, where it is known only at the end whether some of them are broken.

    The first of all rows is checked again then, and its problems are kept only from that check: it is the row that is
    named for columns without any value.
    """

    def __init__(self, month: Month, *, allow_unknown_columns: bool, in_csv: bool) -> None:
        super().__init__(month, allow_unknown_columns=allow_unknown_columns, in_csv=in_csv)
        #: All columns of the rows so far.
        self.names: dict[str, None] = {}
        self.is_first_batch = True
        self.is_end = False
        # Bad column name → whether its first value is in another row than the first.
        self._is_later: dict[str, bool] = {}

    def _add_name(self, name: str, values: Values, rule: str, problems: Problems) -> None:
        if self.is_end:
            if not self._is_later.get(name):
                problems.add(0, name, rule)
        elif name not in self._is_later and (index := first_with_value(values)) is not None:
            self._is_later[name] = index > 0 or not self.is_first_batch
            problems.add(index, name, rule)

    def _add_missing(self, name: str, problems: Problems) -> None:
        if self.is_end:
            super()._add_missing(name, problems)
        else:
            # If no row has the column, that is one problem.
            problems.add_every_row(name, REQUIRED_RULE, lambda: name in self.names)


class _BatchChecks:
    def __init__(self, rules: _BatchRules) -> None:
        self._rules = rules
        self._problems = BatchProblems()
        self._is_good = True
        self._first: Rows | None = None

    def check(self, rows: Rows) -> dict[str, pl.Series] | None:
        """Check a batch; return its columns as text if it has rows and no problem was found so far."""
        self._note_columns(rows)
        if not rows.count:
            return None
        problems = self._problems.of_next(rows)
        columns = self._rules.apply(rows, problems)
        self._is_good = self._is_good and problems.is_empty
        if self._first is None:
            self._first = _first_row(rows)
            problems.without_first_row()
            self._rules.is_first_batch = False
        self._problems.keep(problems)
        return columns if self._is_good else None

    def _note_columns(self, rows: Rows) -> None:
        self._rules.note_hint(rows.month_hint)
        new = [name for name in rows.columns if name not in self._rules.names]
        self._rules.names.update(dict.fromkeys(new))
        if any(map(self._rules.broken_by_name, new)):
            self._is_good = False

    def raise_if_any(self) -> None:
        """Raise the error of all batches, if any row broke a rule."""
        if self._first is None:
            return
        check_format(list(self._rules.names))
        self._rules.log_values()
        self._rules.is_end = True
        missing = {name: no_strings(1) for name in self._rules.names if name not in self._first.columns}
        first = Rows({**self._first.columns, **missing}, 1, self._first.where)
        problems = Problems(first)
        self._rules.apply(first, problems)
        self._problems.keep_first(problems)
        self._problems.raise_if_any()


def _first_row(rows: Rows) -> Rows:
    place = rows.where(0)
    return Rows({name: _first_value(values) for name, values in rows.columns.items()}, 1, lambda _: place)


def _first_value(values: Values) -> Values:
    if isinstance(values, pl.Series) and values.dtype == pl.String:
        # A slice would refer to the texts of the whole column.
        return pl.Series(values=values[:1].to_list(), dtype=pl.String)
    return values[:1]
