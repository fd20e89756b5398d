"""The vertical axis of a chart: round figures for numbers of any size."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, ROUND_CEILING, ROUND_FLOOR, Context, Decimal

from cloudzero_provider.sandbox.common.exact_sums import abbreviated

# A few digits of any number, without traps: what is drawn is approximate, and figures in tables are exact.
_APPROXIMATE = Context(prec=12, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])
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
        return float(_APPROXIMATE.divide(amount, _APPROXIMATE.subtract(self.highest, self.lowest)))

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
    step = _step(_APPROXIMATE.subtract(high, low) or Decimal(intervals), intervals)
    first = int(_steps(low, step, ROUND_FLOOR))
    last = int(_steps(high, step, ROUND_CEILING)) or (0 if first else intervals)
    ticks = tuple(_APPROXIMATE.multiply(step, Decimal(number)) for number in range(first, last + 1))
    return Scale(ticks[0], ticks[-1], ticks, tuple(_label(tick, step, ticks) for tick in ticks))


def _step(span: Decimal, intervals: int) -> Decimal:
    raw = _APPROXIMATE.divide(span, Decimal(intervals))
    exponent = raw.adjusted()
    leading = _APPROXIMATE.scaleb(raw, Decimal(-exponent))
    chosen = next(number for number in _ROUND if number >= leading)
    return _APPROXIMATE.scaleb(chosen, Decimal(exponent))


def _steps(amount: Decimal, step: Decimal, rounding: str) -> Decimal:
    return _APPROXIMATE.divide(amount, step).to_integral_value(rounding=rounding)


def _label(tick: Decimal, step: Decimal, ticks: tuple[Decimal, ...]) -> str:
    """Label all figures of an axis in one unit."""
    if not tick:
        return "0"
    largest = max(ticks[0].adjusted() if ticks[0] else MIN_EMIN, ticks[-1].adjusted() if ticks[-1] else MIN_EMIN)
    power, unit = next((found for found in _UNITS if largest >= max(found[0], _PLAIN_DIGITS)), (0, ""))
    if largest > _UNITS[0][0] + 2 or step.adjusted() < _SMALLEST_STEP:
        return abbreviated(tick, 1)
    scaled = _APPROXIMATE.scaleb(tick, Decimal(-power))
    return f"{scaled:,.{_decimals(step, power)}f}{unit}"


def _decimals(step: Decimal, power: int) -> int:
    exponent = _APPROXIMATE.scaleb(step, Decimal(-power)).normalize(_APPROXIMATE).as_tuple().exponent
    return max(0, -int(exponent))
