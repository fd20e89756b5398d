"""The vertical axis of a chart: round figures for numbers of any size."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import MIN_EMIN, ROUND_CEILING, ROUND_FLOOR, Decimal

from cloudzero_provider.sandbox.common.exact_sums import APPROXIMATE, abbreviated

_ROUND = tuple(map(Decimal, ("1", "2", "2.5", "5", "10")))
_UNITS = ((12, "T"), (9, "B"), (6, "M"), (3, "k"))
_PLAIN_DIGITS = 4
_SMALLEST_STEP = -6


@dataclass(frozen=True)
class Scale:
    """The ends of an axis, and the figures beside it from bottom to top."""

    lowest: Decimal
    highest: Decimal
    ticks: tuple[Decimal, ...]
    labels: tuple[str, ...]

    def height(self, amount: Decimal) -> float:
        """Return the part of the axis that an amount takes up, from 0 to 1; below zero for a credit."""
        return float(APPROXIMATE.divide(amount, APPROXIMATE.subtract(self.highest, self.lowest)))

    @property
    def zero(self) -> float:
        """Where zero is, from the top."""
        return self.height(self.highest)


def make_scale(lowest: Decimal, highest: Decimal, intervals: int = 4) -> Scale:
    """
    Return an axis that includes zero.

    :param lowest: what it reaches down to.
    :param highest: what it reaches up to.
    :param intervals: about how many figures there is room for.
    """
    low, high = min(lowest, Decimal(0)), max(highest, Decimal(0))
    step = _step(APPROXIMATE.subtract(high, low) or Decimal(intervals), intervals)
    first = int(_steps(low, step, ROUND_FLOOR))
    last = int(_steps(high, step, ROUND_CEILING)) or (0 if first else intervals)
    ticks = tuple(APPROXIMATE.multiply(step, Decimal(number)) for number in range(first, last + 1))
    return Scale(ticks[0], ticks[-1], ticks, tuple(_label(tick, step, ticks) for tick in ticks))


def _step(span: Decimal, intervals: int) -> Decimal:
    raw = APPROXIMATE.divide(span, Decimal(intervals))
    exponent = raw.adjusted()
    leading = APPROXIMATE.scaleb(raw, Decimal(-exponent))
    chosen = next(number for number in _ROUND if number >= leading)
    return APPROXIMATE.scaleb(chosen, Decimal(exponent))


def _steps(amount: Decimal, step: Decimal, rounding: str) -> Decimal:
    return APPROXIMATE.divide(amount, step).to_integral_value(rounding=rounding)


def _label(tick: Decimal, step: Decimal, ticks: tuple[Decimal, ...]) -> str:
    """Label all figures of an axis in one unit."""
    if not tick:
        return "0"
    largest = max(ticks[0].adjusted() if ticks[0] else MIN_EMIN, ticks[-1].adjusted() if ticks[-1] else MIN_EMIN)
    power, unit = next((found for found in _UNITS if largest >= max(found[0], _PLAIN_DIGITS)), (0, ""))
    if largest > _UNITS[0][0] + 2 or step.adjusted() < _SMALLEST_STEP:
        return abbreviated(tick, 1)
    scaled = APPROXIMATE.scaleb(tick, Decimal(-power))
    return f"{scaled:,.{_decimals(step, power)}f}{unit}"


def _decimals(step: Decimal, power: int) -> int:
    exponent = APPROXIMATE.scaleb(step, Decimal(-power)).normalize(APPROXIMATE).as_tuple().exponent
    return max(0, -int(exponent))
