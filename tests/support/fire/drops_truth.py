"""Months of rows, and what CloudZero must hold of them, independently of the client's code."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

MONTH = "2026-03"
NEIGHBOUR = "2026-02"

#: A row for comparison, with numbers by value.
Canonical = tuple[tuple[str, "str | Decimal"], ...]
Bag = Counter[Canonical]

_HOURS = (0, 1, 13, 24, 25, 360, 361, 500, 719, 720, 742, 743)
_COSTS: tuple[Any, ...] = (
    "1",
    "0",
    "-12.5",
    "0.000000000000000000000000000001",
    "123456789012345678.999999999999999999999999999999",
    Decimal("1E+3"),
    Decimal("-0.10"),
    5,
    0.1,
    "7.30",
)
_FLAVOURS: tuple[dict[str, Any], ...] = (
    {},
    {"lineitem/type": "Discount"},
    {"lineitem/description": 'Zürich, "Datenübertragung" — 転送\n\\'},
    {"resource/id": "i-1", "resource/tag:team": "größe", "resource/tag:env": "prod"},
    {"usage/amount": "3.50", "lineitem/description": None},
    {"lineitem/description": "x" * 300},
    {"cost/discounted_cost": "0.5", "lineitem/description": ""},
)
_NUMBERS = ("usage/amount", "cost/cost", "cost/discounted_cost")
_BAD: tuple[dict[str, Any], ...] = (
    {"time/usage_start": "2026-04-01T00:00:00Z"},
    {"time/usage_start": "soon"},
    {"cost/cost": "12,5"},
    {"cost/cost": None},
    {"cost/cost": float("nan")},
    {"lineitem/tpye": "Usage"},
)


@dataclass(frozen=True)
class Pattern:
    """The pattern of a row."""

    hour: int
    cost: int = 0
    flavour: int = 0
    form: int = 0
    has_twins: bool = False

    def row(self, number: int) -> dict[str, Any]:
        start = datetime(2026, 3, 1, tzinfo=timezone.utc) + timedelta(hours=_HOURS[self.hour])
        row = {"time/usage_start": _written(start, self.form), "cost/cost": _COSTS[self.cost]}
        return row | _FLAVOURS[self.flavour] | ({} if self.has_twins else {"lineitem/id": f"line-{number}"})

    def truth(self, number: int) -> dict[str, str]:
        start = datetime(2026, 3, 1, tzinfo=timezone.utc) + timedelta(hours=_HOURS[self.hour])
        row = {**self.row(number), "time/usage_start": start.strftime("%Y-%m-%dT%H:00:00Z")}
        return {name: _plain(value) for name, value in row.items() if value not in (None, "")}


def _plain(value: Any) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _written(start: datetime, form: int) -> Any:
    if form == 1:
        return (start + timedelta(minutes=59, seconds=59)).isoformat()
    if form == 2:
        return start.astimezone(timezone(timedelta(hours=5))).isoformat()
    if form == 3:
        return start
    return start.strftime("%Y-%m-%d") if start.hour == 0 else start.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Rows:
    """
    A month of ``count`` rows that repeat the patterns.

    :param bad: the row that breaks a rule, and how.
    """

    patterns: tuple[Pattern, ...] = (Pattern(0),)
    count: int = 0
    bad: int | None = None

    def given(self) -> list[dict[str, Any]]:
        rows = [self.patterns[number % len(self.patterns)].row(number) for number in range(self.count)]
        if self.is_bad:
            rows[-1] |= _BAD[self.bad or 0]
        return rows

    @property
    def is_bad(self) -> bool:
        return self.bad is not None and self.count > 0

    def truth(self) -> list[dict[str, str]]:
        return [self.patterns[number % len(self.patterns)].truth(number) for number in range(self.count)]


def bag(rows: Iterable[dict[str, str]]) -> Bag:
    return Counter(canonical(row) for row in rows)


def canonical(row: dict[str, str]) -> Canonical:
    return tuple(sorted((name, Decimal(value) if name in _NUMBERS else value) for name, value in row.items()))


def by_hour(held: Bag) -> dict[str, Bag]:
    hours: dict[str, Bag] = {}
    for row, count in held.items():
        hours.setdefault(str(dict(row)["time/usage_start"]), Counter())[row] = count
    return dict(sorted(hours.items()))


def json_size(rows: Iterable[dict[str, str]]) -> int:
    return sum(len(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()) + 1 for row in rows)


_PATTERNS = st.builds(
    Pattern,
    hour=st.integers(0, len(_HOURS) - 1),
    cost=st.integers(0, len(_COSTS) - 1),
    flavour=st.integers(0, len(_FLAVOURS) - 1),
    form=st.integers(0, 3),
    has_twins=st.booleans(),
)


def rows(least: int = 0, *, may_be_bad: bool = False) -> st.SearchStrategy[Rows]:
    return st.builds(
        Rows,
        patterns=st.lists(_PATTERNS, min_size=1, max_size=8).map(tuple),
        count=st.sampled_from([count for count in (5, 1, 2, 3, 8, 13, 21, 34, 60, 0) if count >= least]),
        bad=st.sampled_from([None] * 19 + [0]).flatmap(lambda none: st.none() if none is None else _BADS)
        if may_be_bad
        else st.none(),
    )


_BADS = st.integers(0, len(_BAD) - 1)
