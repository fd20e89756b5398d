"""Amounts by period and name, as a chart and its table show them: the largest names, and the rest as one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.common.exact_sums import Sums, sum_exactly

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence
    from decimal import Decimal

#: As many as there are colors; the rest is drawn in gray.
MAX_NAMED = 6
# A person looks at few months and streams at a time.
_MAX_KNOWN = 16


@dataclass(frozen=True)
class Series:
    """The amounts of one name by period."""

    name: str
    amounts: Mapping[str, Decimal]
    total: Decimal


@dataclass(frozen=True)
class Breakdown:
    """All periods of a chart, and its series, the largest first and the rest last."""

    periods: tuple[str, ...]
    series: tuple[Series, ...]
    totals: Mapping[str, Decimal]
    total: Decimal
    by_name: Mapping[str, Decimal]


class Breakdowns:
    """Computes each breakdown once per change."""

    def __init__(self) -> None:
        self._known: dict[Hashable, Breakdown] = {}

    def get(self, key: Hashable, compute: Callable[[], Breakdown]) -> Breakdown:
        """
        Return what was computed for a key.

        :param key: another one for each change.
        :param compute: called if the key is new.
        """
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            found = self._known[key] = compute()
        return found


def break_down(
    amounts: Mapping[tuple[str, str], Decimal], periods: Sequence[str], *, blank: str, unit: str
) -> Breakdown:
    """
    Sum amounts exactly by period and name.

    :param amounts: by period and name.
    :param periods: in order; amounts of other periods are left out.
    :param blank: what a blank name is called.
    :param unit: what the names are, in the plural.
    """
    shown = set(periods)
    by_period: Sums[str] = Sums()
    by_name: dict[str, Sums[str]] = {}
    for (period, name), amount in amounts.items():
        if period in shown:
            by_period.add(period, amount)
            by_name.setdefault(name or blank, Sums()).add(period, amount)
    series = [_series(name, sums) for name, sums in by_name.items()]
    series.sort(key=_by_size)
    totals = by_period.as_dict()
    return Breakdown(
        tuple(periods),
        tuple(_with_rest(series, unit)),
        totals,
        sum_exactly(totals.values()),
        {one.name: one.total for one in series},
    )


def _by_size(series: Series) -> tuple[Decimal, str]:
    """Sort the largest first; a credit counts as much as a cost."""
    # Python's own abs and minus would round, and fail for the longest numbers.
    return sum_exactly(amount.copy_abs() for amount in series.amounts.values()).copy_negate(), series.name


def _with_rest(series: Sequence[Series], unit: str) -> list[Series]:
    # The gray is enough for a name of its own.
    if len(series) <= MAX_NAMED + 1:
        return list(series)
    rest = series[MAX_NAMED:]
    amounts: Sums[str] = Sums()
    for one in rest:
        for period, amount in one.amounts.items():
            amounts.add(period, amount)
    return [*series[:MAX_NAMED], _series(f"other ({len(rest)} {unit})", amounts)]


def _series(name: str, sums: Sums[str]) -> Series:
    amounts = sums.as_dict()
    return Series(name, amounts, sum_exactly(amounts.values()))
