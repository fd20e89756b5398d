"""Collect the problems found in rows; only the first few are described, unless all are asked for."""

from __future__ import annotations

import heapq
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from cloudzero_provider.exceptions import SHOWN_PROBLEMS, InvalidRowsError, Problem
from cloudzero_provider.values.python_values import as_objects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudzero_provider.sources import Rows
    from cloudzero_provider.values.python_values import Values

_SHOWN_VALUE = 80
# A context variable, since transforms of users create some of the objects.
_DESCRIBED: ContextVar[int | None] = ContextVar("cloudzero_described_problems", default=SHOWN_PROBLEMS)


@contextmanager
def every_problem() -> Iterator[None]:
    """Describe every problem that is found inside the block, for a report, rather than the first few."""
    token = _DESCRIBED.set(None)
    try:
        yield
    finally:
        _DESCRIBED.reset(token)


@dataclass
class Problems:
    """
    The problems of rows, for one error.

    :param rows: the rows as given.
    """

    rows: Rows
    total: int = 0
    _described: int | None = field(default_factory=_DESCRIBED.get)
    _first: list[tuple[int, int, Problem]] = field(default_factory=list)

    def add(self, index: int, column: str | None, rule: str, values: Values | None = None) -> None:
        """Add a problem of one row; its value is taken from ``values``."""
        self._add([index], column, [rule], values)

    def add_all(self, mask: pl.Series, column: str, rule: str, values: Values | None = None) -> None:
        """Add a problem for every row where the mask is true."""
        indices = mask.arg_true()
        described = indices if self._described is None else indices.head(self._described)
        self._add(described.to_list(), column, [rule] * len(described), values)
        self.total += len(indices) - len(described)

    def add_each(self, bad: dict[int, str], column: str, values: Values) -> None:
        """Add a problem for each row of ``bad`` (row index → the rule it breaks)."""
        indices = sorted(bad)[: self._described]
        self._add(indices, column, [bad[index] for index in indices], values)
        self.total += len(bad) - len(indices)

    def _add(self, indices: list[int], column: str | None, rules: list[str], values: Values | None) -> None:
        given = [None] * len(indices) if values is None else _values_at(indices, values)
        for index, rule, value in zip(indices, rules, given, strict=True):
            shown = None if values is None else shown_value(value)
            self.total += 1
            self._first.append((index, self.total, Problem(self.rows.where(index), column, shown, rule)))

    def raise_if_any(self) -> None:
        """
        Raise an error if any problem was added.

        :raises InvalidRowsError: with row, column, value and rule of the first few problems, and the number of all.
        """
        if self.total:
            described = len(self._first) if self._described is None else self._described
            first = heapq.nsmallest(described, self._first, key=lambda found: found[:2])
            raise InvalidRowsError([problem for _, _, problem in first], self.total)


def _values_at(indices: list[int], values: Values) -> list[object]:
    # Gathered together, since each call of polars takes longer than all of the rest.
    if isinstance(values, pl.Series):
        return list(as_objects(values.gather(indices)))
    return [values[index] for index in indices]


def shown_value(value: object) -> str:
    """Shorten a value for an error message."""
    text = str(value) if isinstance(value, date) else repr(value)
    return text if len(text) <= _SHOWN_VALUE else f"{text[:_SHOWN_VALUE]}…"
