"""Exact sums of decimals of any length."""

from __future__ import annotations

from collections.abc import Hashable
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal, Inexact, InvalidOperation, Overflow
from functools import reduce
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

Key = TypeVar("Key", bound=Hashable)

# The trap turns any rounding into an error instead of a wrong total.
_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[Inexact, InvalidOperation, Overflow])

#: For charts: a few digits of any number, without traps.
APPROXIMATE = Context(prec=12, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])

add = _EXACT.add


def as_text(number: Decimal) -> str:
    """Format all digits, without an exponent."""
    return format(number, "f")


def without_trailing_zeros(number: Decimal) -> str:
    """Format all digits except trailing zeros of the fraction, so that equal numbers are formatted alike."""
    text = as_text(number)
    return text.rstrip("0").rstrip(".") if "." in text else text


def abbreviated(number: Decimal, longest: int) -> str:
    """Format with two decimals and thousands separators, or with an exponent if that is longer than ``longest``."""
    if number.adjusted() < longest:
        text = format(number, ",.2f")
        if len(text) <= longest:
            return text
    rounded = APPROXIMATE.plus(number)
    digits = "".join(map(str, rounded.as_tuple().digits[:4])).ljust(4, "0")
    return f"{'-' if number < 0 else ''}{digits[0]}.{digits[1:]}e{rounded.adjusted():+}"


def sum_exactly(numbers: Iterable[Decimal]) -> Decimal:
    """Return the exact sum; zero without numbers."""
    return reduce(add, numbers, Decimal(0))


class Sums(Generic[Key]):
    """Exact sums by key, for the keys that something was added to."""

    def __init__(self) -> None:
        self._sums: dict[Key, Decimal] = {}

    def add(self, key: Key, number: Decimal) -> None:
        known = self._sums.get(key)
        self._sums[key] = number if known is None else add(known, number)

    def as_dict(self) -> dict[Key, Decimal]:
        return dict(self._sums)


class Totals(Sums[str]):
    """Exact sums by name."""

    def as_texts(self) -> dict[str, str]:
        return {name: as_text(number) for name, number in sorted(self._sums.items())}


def with_thousands_separators(text: str) -> str:
    """Format a decimal string with thousands separators."""
    minus = "-" if text.startswith("-") else ""
    whole, point, fraction = text[len(minus) :].partition(".")
    first = len(whole) % 3
    groups = [whole[:first]] if first else []
    groups += [whole[start : start + 3] for start in range(first, len(whole), 3)]
    return f"{minus}{','.join(groups)}{point}{fraction}"
