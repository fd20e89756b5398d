"""Two versions of a month, drawn at random, and their comparison in plain Python: Counter and Decimal, without polars."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Context, Decimal
from typing import Any

#: A row in one form: column → text.
Row = dict[str, str]

AMOUNTS = ("cost/cost", "cost/amortized_cost", "usage/amount")
EXACT = Context(prec=400)
ZERO = Decimal(0)
_SERVICES = ("Compute", "Storage", "", "a|b", "\0", "x\0y", "naïve \1", None, None)
_COSTS = ("1.5", "-1.5", "0", "0.000000000000000000000000000001", "999999999999999999.999999999999999999999999999999")
_MOST_DIGITS = (
    "123456789012345678.000000000000000000000000000002",
    "123456789012345678.000000000000000000000000000001",
)


def random_versions(seed: int) -> tuple[list[Row], list[Row]]:
    """Draw rows before and after, with many that are equal, in canonical form and in another order."""
    draw = random.Random(seed)
    before = [_row(draw) for _ in range(draw.choice((0, 1, 5, 60)))]
    after = []
    for row in before:
        fate = draw.random()
        if fate < 0.6:
            after.append(dict(row))
        elif fate < 0.8:
            after.append(row | {"cost/cost": _cost(draw)})
        elif fate < 0.85:
            after += [dict(row), dict(row)]
        elif fate < 0.9:
            after.append(row | {"resource/tag:only-after": draw.choice("ab")})
    after += [_row(draw) for _ in range(draw.choice((0, 0, 3, 20)))]
    draw.shuffle(after)
    return before, after


def _row(draw: random.Random) -> Row:
    hour = datetime(2026, 3, draw.choice((1, 2, 31)), draw.choice((0, 23)), tzinfo=timezone.utc)
    row = {
        "time/usage_start": hour.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "cost/cost": _cost(draw),
        "resource/service": draw.choice(_SERVICES),
        "usage/amount": draw.choice((None, None, _cost(draw))),
        "cost/amortized_cost": draw.choice((None, None, _cost(draw))),
        "resource/tag:team": draw.choice((None, "search", "^team$", "São Paulo")),
    }
    return {name: value for name, value in row.items() if value}


def _cost(draw: random.Random) -> str:
    return draw.choice((*_COSTS, *_MOST_DIGITS, str(draw.randint(-3, 3))))


def spelled(rows: list[Row], seed: int) -> list[Row]:
    """Write values of rows in other ways, as CloudZero may return them."""
    draw = random.Random(seed)
    return [{name: _spelled(name, value, draw) for name, value in row.items()} for row in rows]


def _spelled(name: str, value: str, draw: random.Random) -> str:
    if name in AMOUNTS:
        zeros = "00" if "." in value else ".00"
        too_long = len(value.partition(".")[2]) > 20
        scientific = f"{EXACT.create_decimal(value):E}"
        return draw.choice((value, value if too_long else value + zeros, scientific))
    if name == "time/usage_start":
        moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
        east = moment.astimezone(timezone(timedelta(hours=5, minutes=30)))
        return draw.choice(
            (value, moment.isoformat(), moment.strftime("%Y-%m-%d %H:%M"), east.isoformat(), f"{value[:14]}43:21.5Z")
        )
    return value


@dataclass
class Expected:
    """The comparison: numbers of rows and costs, in all and by group."""

    rows: Counter[str] = field(default_factory=Counter)
    cost: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def add(self, status: str, cost: Decimal) -> None:
        self.rows[status] += 1
        self.cost[status] = EXACT.add(self.cost[status], cost)


def expected_changes(before: list[Row], after: list[Row], by: str) -> dict[tuple[Any, ...], Expected]:
    """Compare two versions. The keys are (), (day,), (None, value) and (day, value)."""
    groups: defaultdict[tuple[Any, ...], Expected] = defaultdict(Expected)
    for status, row in _statuses(before, after):
        day, value = row["time/usage_start"][:10], row.get(by, "(none)")
        for key in ((), (day,), (None, value), (day, value)):
            groups[key].add(status, Decimal(row["cost/cost"]))
    return dict(groups)


def _statuses(before: list[Row], after: list[Row]) -> Any:
    count_before, count_after = (Counter(map(_key, rows)) for rows in (before, after))
    for row, count in (count_before & count_after).items():
        for _ in range(count):
            yield "unchanged", dict(row)
    left: defaultdict[Any, tuple[list[Row], list[Row]]] = defaultdict(lambda: ([], []))
    for side, rest in enumerate((count_before - count_after, count_after - count_before)):
        for row in rest.elements():
            left[_key({name: value for name, value in row if name not in AMOUNTS})][side].append(dict(row))
    for removed, added in left.values():
        for rows in (removed, added):
            rows.sort(key=lambda row: (float(row["cost/cost"]), row["cost/cost"]))
        pairs = min(len(removed), len(added))
        for status, rows in (
            ("changed before", removed[:pairs]),
            ("changed after", added[:pairs]),
            ("removed", removed[pairs:]),
            ("added", added[pairs:]),
        ):
            yield from ((status, row) for row in rows)


def _key(row: Row) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(row.items()))
