"""Collect the problems found in rows; only the first few are described, unless all are asked for."""

from __future__ import annotations

import heapq
from array import array
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from cloudzero_provider.exceptions import SHOWN_PROBLEMS, InvalidRowsError, Problem
from cloudzero_provider.values.python_values import as_objects

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cloudzero_provider.sources import Rows
    from cloudzero_provider.values.python_values import Values

_SHOWN_VALUE = 80
#: Problems that are described at a time.
_BLOCK = 10_000


@dataclass
class KeptProblems:
    """Every problem of the rows, for a file: they are described only while they are written."""

    _error: InvalidRowsError | None = None
    _problems: Problems | None = None

    def keep(self, error: InvalidRowsError, problems: Problems) -> None:
        """Remember what an error was made of."""
        self._error, self._problems = error, problems

    def of(self, error: InvalidRowsError) -> Iterable[Problem]:
        """Return every problem of an error; if it was raised by something else, those that it has."""
        return error.problems if self._problems is None or error is not self._error else self._problems.described()

    def is_of(self, error: InvalidRowsError) -> bool:
        """Whether :meth:`of` returns every problem: an error of another thread may have the first few only."""
        return error is self._error or len(error.problems) == error.total


# Context variables, since transforms of users create some of the objects.
_DESCRIBED: ContextVar[int | None] = ContextVar("cloudzero_described_problems", default=SHOWN_PROBLEMS)
_KEPT: ContextVar[KeptProblems | None] = ContextVar("cloudzero_kept_problems", default=None)


@contextmanager
def every_problem() -> Iterator[None]:
    """Describe every problem that is found inside the block, for a report, rather than the first few."""
    token = _DESCRIBED.set(None)
    try:
        yield
    finally:
        _DESCRIBED.reset(token)


@contextmanager
def kept_problems() -> Iterator[KeptProblems]:
    """Keep every problem that is found inside the block, while errors list the first few."""
    kept = KeptProblems()
    token = _KEPT.set(kept)
    try:
        yield kept
    finally:
        _KEPT.reset(token)


def _most_kept() -> int | None:
    return None if _KEPT.get() is not None else _DESCRIBED.get()


@dataclass
class Problems:
    """
    The problems of rows, for one error.

    :param rows: the rows as given.
    """

    rows: Rows
    total: int = 0
    #: How many of each column and rule are kept.
    _most: int | None = field(default_factory=_most_kept)
    # Of each problem that is kept. Row indices are numbers of an array, and the others are references: a few bytes.
    _indices: array[int] = field(default_factory=lambda: array("Q"))
    _columns: list[str | None] = field(default_factory=list)
    _rules: list[str] = field(default_factory=list)
    _values: list[Values | None] = field(default_factory=list)

    def add(self, index: int, column: str | None, rule: str, values: Values | None = None) -> None:
        """Add a problem of one row; its value is taken from ``values``."""
        self._add([index], column, [rule], values, 1)

    def add_all(self, mask: pl.Series, column: str, rule: str, values: Values | None = None) -> None:
        """Add a problem for every row where the mask is true."""
        indices = mask.arg_true()
        kept = (indices if self._most is None else indices.head(self._most)).to_list()
        self._add(kept, column, [rule] * len(kept), values, len(indices))

    def add_each(self, bad: dict[int, str], column: str, values: Values) -> None:
        """Add a problem for each row of ``bad`` (row index → the rule it breaks)."""
        indices = sorted(bad)[: self._most]
        self._add(indices, column, [bad[index] for index in indices], values, len(bad))

    def _add(
        self, indices: Sequence[int], column: str | None, rules: list[str], values: Values | None, total: int
    ) -> None:
        self._indices.extend(indices)
        self._columns.extend([column] * len(indices))
        self._rules.extend(rules)
        self._values.extend([values] * len(indices))
        self.total += total

    def raise_if_any(self) -> None:
        """
        Raise an error if any problem was added.

        :raises InvalidRowsError: with row, column, value and rule of the first few problems, and the number of all.
        """
        if not self.total:
            return
        error = InvalidRowsError([*self.described(_DESCRIBED.get())], self.total)
        if (kept := _KEPT.get()) is not None:
            kept.keep(error, self)
        raise error

    def described(self, most: int | None = None) -> Iterator[Problem]:
        """
        Describe problems in the order of the rows, those of one row in the order in which they were found.

        :param most: how many; by default, all that were kept.
        """
        numbers = range(len(self._indices))
        row_of = self._indices.__getitem__
        ordered = sorted(numbers, key=row_of) if most is None else heapq.nsmallest(most, numbers, key=row_of)
        for start in range(0, len(ordered), _BLOCK):
            yield from self._describe(ordered[start : start + _BLOCK])

    def _describe(self, numbers: list[int]) -> Iterator[Problem]:
        shown = self._shown(numbers)
        for number in numbers:
            where = self.rows.where(self._indices[number])
            yield Problem(where, self._columns[number], shown.get(number), self._rules[number])

    def _shown(self, numbers: list[int]) -> dict[int, str]:
        # Those of a column are gathered together, since each call of polars takes longer than all of the rest.
        columns: dict[int, list[int]] = {}
        for number in numbers:
            columns.setdefault(id(self._values[number]), []).append(number)
        shown: dict[int, str] = {}
        for same in columns.values():
            values = self._values[same[0]]
            if values is not None:
                found = _values_at([self._indices[number] for number in same], values)
                shown.update(zip(same, map(shown_value, found), strict=True))
        return shown


def _values_at(indices: list[int], values: Values) -> list[object]:
    if isinstance(values, pl.Series):
        return list(as_objects(values.gather(indices)))
    return [values[index] for index in indices]


def shown_value(value: object) -> str:
    """Shorten a value for an error message."""
    text = str(value) if isinstance(value, date) else repr(value)
    return text if len(text) <= _SHOWN_VALUE else f"{text[:_SHOWN_VALUE]}…"
