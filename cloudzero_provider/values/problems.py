"""Collect the problems found in rows; only the first few are described, unless all are asked for."""

from __future__ import annotations

import heapq
from array import array
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING, Protocol

from cloudzero_provider.exceptions import SHOWN_PROBLEMS, InvalidRowsError, Problem
from cloudzero_provider.values.found_problems import Found, shown_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import polars as pl

    from cloudzero_provider.sources import Rows
    from cloudzero_provider.values.found_problems import Entry
    from cloudzero_provider.values.python_values import Values

#: Problems that are described at a time.
_BLOCK = 10_000


class Described(Protocol):
    """Problems that can be described."""

    @property
    def total(self) -> int:
        """How many were found."""

    def described(self, most: int | None = None) -> Iterator[Problem]:
        """Describe the first few, or all of them."""


@dataclass
class KeptProblems:
    """Every problem of the rows, for a file: they are described only while they are written."""

    _error: InvalidRowsError | None = None
    _problems: Described | None = None

    def keep(self, error: InvalidRowsError, problems: Described) -> None:
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


def most_kept() -> int | None:
    """How many problems of each column and rule are kept; ``None`` for all of them."""
    return None if _KEPT.get() is not None else _DESCRIBED.get()


def raise_if_any(problems: Described) -> None:
    """
    Raise an error if any problem was found.

    :raises InvalidRowsError: with row, column, value and rule of the first few problems, and the number of all.
    """
    if not problems.total:
        return
    error = InvalidRowsError([*problems.described(_DESCRIBED.get())], problems.total)
    if (kept := _KEPT.get()) is not None:
        kept.keep(error, problems)
    raise error


@dataclass
class Problems:
    """
    The problems of rows, for one error.

    :param rows: the rows as given.
    :param most: how many of each column and rule are kept; by default, as many as are described, or all.
    """

    rows: Rows
    most: int | None = field(default_factory=most_kept)
    _found: list[Found] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many were found."""
        return sum(found.total for found in self._found if found.is_counted())

    @property
    def is_empty(self) -> bool:
        """Whether nothing was added, also nothing of which it is not known yet whether it counts."""
        return not self._found

    def add(self, index: int, column: str | None, rule: str, values: Values | None = None) -> None:
        """Add a problem of one row; its value is taken from ``values``."""
        last = self._found[-1] if self._found else None
        if last is not None and last.takes(index, column, values):
            last.append(index, rule)
        else:
            self._found.append(Found(array("Q", [index]), column, [rule], values, 1))

    def add_all(self, mask: pl.Series, column: str, rule: object, values: Values | None = None) -> None:
        """Add a problem for every row where the mask is true; the text of the rule is asked for at the end."""
        indices = mask.arg_true()
        if total := len(indices):
            kept = array("Q", (indices if self.most is None else indices.head(self.most)).to_list())
            self._found.append(Found(kept, column, [rule], values, total))

    def add_each(self, bad: dict[int, str], column: str, values: Values) -> None:
        """Add a problem for each row of ``bad`` (row index → the rule it breaks)."""
        if bad:
            indices = sorted(bad)[: self.most]
            rules: list[object] = [bad[index] for index in indices]
            self._found.append(Found(array("Q", indices), column, rules, values, len(bad)))

    def add_every_row(self, column: str, rule: str, counts: Callable[[], bool]) -> None:
        """Add a problem for every row, which counts only if that is so when problems are counted or described."""
        count = self.rows.count
        self._found.append(Found(range(count), column, [rule], None, count, counts))

    def without_first_row(self) -> None:
        """Forget the problems of the first row."""
        for found in self._found:
            found.without_first_row()

    def settle(self) -> None:
        """Let go of the rows: keep only what is needed to describe the problems."""
        for found in self._found:
            found.settle()
        self.rows = replace(self.rows, columns={})

    def raise_if_any(self) -> None:
        """
        Raise an error if any problem was added.

        :raises InvalidRowsError: with row, column, value and rule of the first few problems, and the number of all.
        """
        raise_if_any(self)

    def described(self, most: int | None = None) -> Iterator[Problem]:
        """
        Describe problems in the order of the rows, those of one row in the order in which they were found.

        :param most: how many; by default, all that were kept.
        """
        counted = [found.entries() for found in self._found if found.is_counted()]
        ordered = islice(heapq.merge(*counted, key=itemgetter(0)), most)
        while block := list(islice(ordered, _BLOCK)):
            yield from self._describe(block)

    def _describe(self, entries: list[Entry]) -> Iterator[Problem]:
        shown = shown_values(entries)
        for number, (index, found, position) in enumerate(entries):
            yield Problem(self.rows.where(index), found.column, shown.get(number), found.rule_at(position))
