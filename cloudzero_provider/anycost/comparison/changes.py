"""What changes between two versions of a month: rows and exact costs, in all, by day, and by another column."""

from __future__ import annotations

import heapq
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from cloudzero_provider.anycost.columns import COST
from cloudzero_provider.anycost.comparison import differing_rows as rows_of
from cloudzero_provider.anycost.comparison.options import DEFAULT_BY
from cloudzero_provider.anycost.comparison.sums import NOTHING, RowsAndCost, sums_by_each
from cloudzero_provider.exceptions import UnexpectedReplyError
from cloudzero_provider.values.conversion import WIRE_DECIMAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from decimal import Decimal

MOST_VALUES = 20
MOST_MOVERS = 10


@dataclass(frozen=True)
class Change:
    """
    What changes in a month, or in a part of it.

    :param removed: rows that only the version before has.
    :param added: rows that only the version after has.
    :param changed_before: rows that are paired with one that differs in its amounts only.
    :param changed_after: those that they are paired with.
    :param unchanged: rows that both versions have.
    """

    removed: RowsAndCost = NOTHING
    added: RowsAndCost = NOTHING
    changed_before: RowsAndCost = NOTHING
    changed_after: RowsAndCost = NOTHING
    unchanged: RowsAndCost = NOTHING

    def __add__(self, other: Change) -> Change:
        """Both together."""
        return Change(**{name: value + getattr(other, name) for name, value in vars(self).items()})

    def __sub__(self, other: Change) -> Change:
        """What is left without the other."""
        return Change(**{name: value - getattr(other, name) for name, value in vars(self).items()})

    @property
    def before(self) -> RowsAndCost:
        """All rows of the version before."""
        return self.removed + self.changed_before + self.unchanged

    @property
    def after(self) -> RowsAndCost:
        """All rows of the version after."""
        return self.added + self.changed_after + self.unchanged

    @property
    def cost_change(self) -> Decimal:
        """Cost after, less cost before."""
        return (self.after - self.before).amount

    @property
    def is_empty(self) -> bool:
        """Whether both versions have the same rows."""
        return not (self.removed.rows or self.added.rows or self.changed_after.rows)

    def as_dict(self) -> dict[str, Any]:
        """Rows and costs as plain JSON values."""
        return {
            "rows_before": self.before.rows,
            "rows_after": self.after.rows,
            "cost_before": self.before.cost,
            "cost_after": self.after.cost,
            "cost_change": (self.after - self.before).cost,
            "added": self.added.rows,
            "removed": self.removed.rows,
            "changed": self.changed_after.rows,
        }


@dataclass(frozen=True)
class ChangeOf:
    """
    What changes on a day, of a value, or of both.

    :param change: what changes.
    :param day: like ``2026-03-16``; ``(none)`` for rows without a valid hour; empty for those of all days.
    :param value: of the column that rows are grouped by; ``(none)`` for rows without one; empty for all values.
    """

    change: Change
    day: str = ""
    value: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        names = {"day": self.day, "value": self.value}
        return {name: text for name, text in names.items() if text} | self.change.as_dict()


@dataclass(frozen=True)
class MonthChanges:
    """
    What changes between two versions of a month.

    :param by: the column that rows are grouped by.
    :param total: of all rows.
    :param by_day: in the order of the days.
    :param by_value: the values of ``by`` that change most, in absolute cost; then those that cost most.
    :param other_values: number of the other values.
    :param others: those together.
    :param movers: the days and values whose cost changes most.
    """

    by: str
    total: Change
    by_day: tuple[ChangeOf, ...]
    by_value: tuple[ChangeOf, ...]
    other_values: int = 0
    others: Change = field(default_factory=Change)
    movers: tuple[ChangeOf, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        total = self.total
        return total.as_dict() | {
            "by": self.by,
            "unchanged": total.unchanged.rows,
            "added_cost": total.added.cost,
            "removed_cost": total.removed.cost,
            "changed_cost_before": total.changed_before.cost,
            "changed_cost_after": total.changed_after.cost,
            "unchanged_cost": total.unchanged.cost,
            "by_day": [one.as_dict() for one in self.by_day],
            "by_value": [one.as_dict() for one in self.by_value],
            "others": {"values": self.other_values, **self.others.as_dict()} if self.other_values else None,
            "movers": [one.as_dict() for one in self.movers],
        }


def compare(before: pl.DataFrame, after: pl.DataFrame, by: str = DEFAULT_BY) -> MonthChanges:
    """
    Compare two versions of a month.

    Equal rows cancel. Of the others, those that are equal in every column but the costs and ``usage/amount`` are paired
    in the order of their costs: the smaller number of them has changed, and the surplus was added or removed.

    :param before: a canonical frame.
    :param after: a canonical frame.
    :param by: the column that rows are grouped by, besides the day.
    :raises UnexpectedReplyError: when a cost is not a decimal number, which only rows read back can be.
    """
    _check_costs(before)
    _check_costs(after)
    places = rows_of.places_of(before, by)
    differing = rows_of.differing_rows(before, after, by)
    days, values = _changes(places, differing, ["day"], ["value"])
    shown = heapq.nsmallest(MOST_VALUES, values, key=lambda key: _place(key, values[key]))
    total = _together(days.values())
    return MonthChanges(
        by=by,
        total=total,
        by_day=tuple(ChangeOf(days[key], day=key[0]) for key in sorted(days)),
        by_value=tuple(ChangeOf(values[key], value=key[0]) for key in shown),
        other_values=len(values) - len(shown),
        others=total - _together(values[key] for key in shown),
        movers=tuple(_movers(places, differing)),
    )


def _check_costs(frame: pl.DataFrame) -> None:
    if COST in frame.columns and (bad := int((~frame[COST].str.contains(WIRE_DECIMAL)).sum())):
        raise UnexpectedReplyError(f"CloudZero holds {bad:,} values of {COST} that are not decimal numbers.")


def _changes(
    places: pl.DataFrame, differing: pl.DataFrame, *groupings: list[str]
) -> Iterator[dict[tuple[str, ...], Change]]:
    """Sum by each grouping. What is unchanged is what was there before, less what was removed or changed."""
    before = sums_by_each(places, groupings)
    by_status = sums_by_each(differing, [[*keys, "status"] for keys in groupings])
    for rows_before, rows_by_status in zip(before, by_status, strict=True):
        moved: defaultdict[tuple[str, ...], dict[str, RowsAndCost]] = defaultdict(dict)
        for (*key, status), rows in rows_by_status.items():
            moved[tuple(key)][status] = rows
        names = dict.fromkeys([*rows_before, *moved])
        yield {name: _change(rows_before.get(name, NOTHING), moved.get(name)) for name in names}


def _change(before: RowsAndCost, moved: Mapping[str, RowsAndCost] | None) -> Change:
    if not moved:
        return Change(unchanged=before)
    removed, added, changed_before, changed_after = (
        moved.get(status, NOTHING)
        for status in (rows_of.REMOVED, rows_of.ADDED, rows_of.CHANGED_BEFORE, rows_of.CHANGED_AFTER)
    )
    return Change(removed, added, changed_before, changed_after, before - removed - changed_before)


def _movers(places: pl.DataFrame, differing: pl.DataFrame) -> Iterable[ChangeOf]:
    keys = ["day", "value"]
    (moves,) = _changes(places.clear(), differing, keys)
    moving = [key for key, change in moves.items() if change.cost_change]
    largest = heapq.nsmallest(MOST_MOVERS, moving, key=lambda key: _place(key, moves[key]))
    found = pl.DataFrame(largest, schema=dict.fromkeys(keys, pl.String), orient="row")
    of_movers = [rows.join(found, on=keys, how="semi") for rows in (places, differing)]
    (changes,) = _changes(of_movers[0], of_movers[1], keys)
    return [ChangeOf(changes[day, value], day, value) for day, value in largest]


def _place(key: tuple[str, ...], change: Change) -> tuple[Any, ...]:
    """The place of a group in a list: those that change most first."""
    rows = change.added.rows + change.removed.rows + change.changed_after.rows
    if not rows:
        return NOTHING.amount, rows, change.unchanged.amount.copy_abs().copy_negate(), key
    cost = max(change.before.amount.copy_abs(), change.after.amount.copy_abs())
    return change.cost_change.copy_abs().copy_negate(), -rows, cost.copy_negate(), key


def _together(changes: Iterable[Change]) -> Change:
    return sum(changes, Change())
