"""Problems of one column that were found together, stored in a few bytes each, and their values for errors."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, cast

import polars as pl

from cloudzero_provider.values.python_values import as_objects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cloudzero_provider.values.python_values import Values

    Entry = tuple[int, "Found", int]

_SHOWN_VALUE = 80


@dataclass
class Found:
    """
    Problems of a column, in the order of their rows.

    :param indices: the rows. An array takes a few bytes for each, and a range none.
    :param column: the column's name.
    :param rules: one for each, or one for all; their text is asked for when they are described.
    :param values: the column's values; without it, none is shown.
    :param total: how many there are, also those that are not kept.
    :param counts: returns whether they are problems at all, which may not be known yet; ``None`` if they are.
    """

    indices: array[int] | range
    column: str | None
    rules: list[object]
    values: Values | None
    total: int
    counts: Callable[[], bool] | None = None
    #: Whether ``values`` are those of ``indices`` only.
    is_settled: bool = False

    def is_counted(self) -> bool:
        """Whether they are problems."""
        return self.counts is None or self.counts()

    def entries(self) -> Iterator[Entry]:
        """Iterate over row, this object, and number in it."""
        for position, index in enumerate(self.indices):
            yield index, self, position

    def takes(self, index: int, column: str | None, values: Values | None) -> bool:
        """Whether a problem of another row can be added: of the same column, and no earlier row."""
        return column == self.column and values is self.values and self._grows and index >= self.indices[-1]

    @property
    def _grows(self) -> bool:
        return isinstance(self.indices, array) and len(self.rules) == len(self.indices) == self.total

    def append(self, index: int, rule: object) -> None:
        """Add a problem that :meth:`takes` accepts."""
        cast("array[int]", self.indices).append(index)
        self.rules.append(rule)
        self.total += 1

    def rule_at(self, position: int) -> str:
        """Return the rule of one of them."""
        return str(self.rules[position if len(self.rules) > 1 else 0])

    def without_first_row(self) -> None:
        """Forget the problems of the first row, which are kept if there are any."""
        count = 0
        while count < len(self.indices) and not self.indices[count]:
            count += 1
        self.indices, self.total = self.indices[count:], self.total - count
        if len(self.rules) > 1:
            self.rules = self.rules[count:]

    def settle(self) -> None:
        """Let go of all values that are not shown."""
        if self.values is not None and not self.is_settled:
            self.values = _copied(list(self.indices), self.values)
        self.is_settled = True

    def shown(self, positions: list[int]) -> list[str] | None:
        """Return the values of some of them; ``None`` if none is shown."""
        if self.values is None:
            return None
        at = positions if self.is_settled else [self.indices[position] for position in positions]
        return [*map(shown_value, _values_at(at, self.values))]


def shown_values(entries: Sequence[Entry]) -> dict[int, str]:
    """
    Return the values of problems, by number.

    :param entries: the problems; those without a value are left out.
    """
    # Those of a column are gathered together, since each call of polars takes longer than all of the rest.
    groups: dict[int, list[int]] = {}
    for number, (_, found, _) in enumerate(entries):
        groups.setdefault(id(found), []).append(number)
    shown: dict[int, str] = {}
    for numbers in groups.values():
        texts = entries[numbers[0]][1].shown([entries[number][2] for number in numbers])
        if texts is not None:
            shown.update(zip(numbers, texts, strict=True))
    return shown


def _values_at(indices: list[int], values: Values) -> list[object]:
    if isinstance(values, pl.Series):
        return list(as_objects(values.gather(indices)))
    return [values[index] for index in indices]


def _copied(indices: list[int], values: Values) -> Values:
    """Copy some values of a column. Gathered texts of polars would refer to all of the column's."""
    found = _values_at(indices, values)
    return pl.Series(values=found, dtype=pl.String) if _is_text(values) else found


def _is_text(values: Values) -> bool:
    return isinstance(values, pl.Series) and values.dtype == pl.String


def shown_value(value: object) -> str:
    """Shorten a value for an error message."""
    text = str(value) if isinstance(value, date) else repr(value)
    return text if len(text) <= _SHOWN_VALUE else f"{text[:_SHOWN_VALUE]}…"
