"""Collect the problems found in rows; only the first few are described."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from cloudzero_provider.exceptions import SHOWN_PROBLEMS, InvalidRowsError, Problem
from cloudzero_provider.values.python_values import as_objects

if TYPE_CHECKING:
    from cloudzero_provider.sources import Rows
    from cloudzero_provider.values.python_values import Values

_SHOWN_VALUE = 80


@dataclass
class Problems:
    """
    The problems of rows, for one error.

    :param rows: the rows as given.
    """

    rows: Rows
    total: int = 0
    _first: list[tuple[int, int, Problem]] = field(default_factory=list)

    def add(self, index: int, column: str | None, rule: str, values: Values | None = None) -> None:
        """Add a problem of one row; its value is taken from ``values``."""
        self.total += 1
        shown = None if values is None else shown_value(_value_at(index, values))
        self._first.append((index, self.total, Problem(self.rows.where(index), column, shown, rule)))

    def add_all(self, mask: pl.Series, column: str, rule: str, values: Values | None = None) -> None:
        """Add a problem for every row where the mask is true."""
        indices = mask.arg_true()
        for index in indices.head(SHOWN_PROBLEMS).to_list():
            self.add(index, column, rule, values)
        self.total += max(0, len(indices) - SHOWN_PROBLEMS)

    def add_each(self, bad: dict[int, str], column: str, values: Values) -> None:
        """Add a problem for each row of ``bad`` (row index → the rule it breaks)."""
        for number, (index, rule) in enumerate(sorted(bad.items())):
            if number < SHOWN_PROBLEMS:
                self.add(index, column, rule, values)
            else:
                self.total += 1

    def raise_if_any(self) -> None:
        """
        Raise an error if any problem was added.

        :raises InvalidRowsError: with row, column, value and rule of the first few problems, and the number of all.
        """
        if self.total:
            first = heapq.nsmallest(SHOWN_PROBLEMS, self._first, key=lambda found: found[:2])
            raise InvalidRowsError([problem for _, _, problem in first], self.total)


def _value_at(index: int, values: Values) -> object:
    return as_objects(values.gather([index]))[0] if isinstance(values, pl.Series) else values[index]


def shown_value(value: object) -> str:
    """Shorten a value for an error message."""
    text = repr(value)
    return text if len(text) <= _SHOWN_VALUE else f"{text[:_SHOWN_VALUE]}…"
