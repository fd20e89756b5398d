"""The guard on costs: how far the total cost of a month may move."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from cloudzero_provider.exceptions import ConfigurationError, CostWouldChangeError

_AMOUNT = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,30})?) ?(%?)")
_EXPECTED = "a share of what CloudZero holds, like '30%', or an amount, like '500'"


@dataclass(frozen=True)
class MaxCostChange:
    """
    How far the total of ``cost/cost`` of a month may move, up or down.

    :param amount: not negative.
    :param is_percent: whether it is a percentage of the absolute total that CloudZero holds.
    """

    amount: Decimal
    is_percent: bool

    def __str__(self) -> str:
        return f"{self.amount}{'%' if self.is_percent else ''}"

    def allows(self, before: Decimal, after: Decimal) -> bool:
        """
        Whether a total may become another one.

        :param before: what CloudZero holds.
        :param after: what it would hold.
        """
        most = Fraction(self.amount)
        if self.is_percent:
            most *= abs(Fraction(before)) / 100
        return abs(Fraction(after) - Fraction(before)) <= most


def read_max_cost_change(value: object, *, templated: bool = False) -> MaxCostChange | None:
    """
    Read the parameter ``max_cost_change``.

    :param value: the given value, like ``"30%"``, ``"500"`` or ``500``; ``None`` turns the guard off.
    :param templated: whether a template may have rendered it.
    :raises ConfigurationError: for anything else.
    """
    if value is None:
        return None
    found = _AMOUNT.fullmatch(str(value).strip()) if isinstance(value, (str, int, float, Decimal)) else None
    if not found:
        also = ", or a template that renders to one of them" if templated else ""
        raise ConfigurationError(f"max_cost_change is {value!r}: expected {_EXPECTED}{also}.")
    return MaxCostChange(Decimal(found[1]), is_percent=bool(found[2]))


_OF_STREAM = "that CloudZero holds"
_ADVICE = "AnyCostBillingDropPlanOperator shows what differs. "


def check_cost_change(
    month: str, before: str, after: str, limit: MaxCostChange, held_by: str = _OF_STREAM, advice: str = _ADVICE
) -> None:
    """
    Refuse a month whose total cost would move too far.

    :param month: like ``2026-03``.
    :param before: total of ``cost/cost`` that CloudZero holds, as a decimal string.
    :param after: what it would hold.
    :param limit: how far it may move.
    :param held_by: where the total before is held, for the error.
    :param advice: how to see what differs, for the error.
    :raises CostWouldChangeError: with both figures.
    """
    old, new = Decimal(before), Decimal(after)
    if limit.allows(old, new):
        return
    raise CostWouldChangeError(
        f"{month}: the total cost would change from the {before} {held_by} to {after}{_share(old, new)}, "
        f"more than max_cost_change={str(limit)!r} allows; nothing was sent. Is the export cut off, doubled, or in "
        f"another currency? {advice}If the change is right, set a larger max_cost_change."
    )


def _share(before: Decimal, after: Decimal) -> str:
    """The change in percent of a total, if it has one, rounded for reading."""
    if not before:
        return ""
    # Fractions, since Python rounds the results of long decimals.
    percent = float((Fraction(after) - Fraction(before)) / abs(Fraction(before)) * 100)
    return f" ({percent:+,.1f}%)"
