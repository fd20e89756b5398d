"""Exact sums of decimals of any length."""

from __future__ import annotations

from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal, Inexact, InvalidOperation, Overflow

# Addition needs only the digits it has; the trap turns any rounding into an error instead of a wrong total.
_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[Inexact, InvalidOperation, Overflow])

# For a drawing: a few digits of any number, without traps.
_ROUGH = Context(prec=12, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])

add = _EXACT.add


def as_text(number: Decimal) -> str:
    """All digits, never an exponent."""
    return format(number, "f")


def as_short_text(number: Decimal) -> str:
    """All digits but the zeros at the end of a fraction, so that equal numbers have equal texts."""
    text = as_text(number)
    return text.rstrip("0").rstrip(".") if "." in text else text


def share(part: Decimal, whole: Decimal) -> float:
    """A part of a whole that is not smaller, from -1 to 1, however large or small both are."""
    return float(_ROUGH.divide(part, whole))


def difference(first: Decimal, second: Decimal) -> Decimal:
    """The first without the second, with some digits."""
    return _ROUGH.subtract(first, second)


def as_rough_text(number: Decimal, longest: int) -> str:
    """Two digits behind the point and groups of three before it, or an exponent where that gets longer."""
    if number.adjusted() < longest:
        text = format(number, ",.2f")
        if len(text) <= longest:
            return text
    rounded = _ROUGH.plus(number)
    digits = "".join(map(str, rounded.as_tuple().digits[:4])).ljust(4, "0")
    return f"{'-' if number < 0 else ''}{digits[0]}.{digits[1:]}e{rounded.adjusted():+}"


class Totals:
    """Sums by name; a name is there once something was added to it."""

    def __init__(self) -> None:
        self._sums: dict[str, Decimal] = {}

    def add(self, name: str, number: Decimal) -> None:
        known = self._sums.get(name)
        self._sums[name] = number if known is None else add(known, number)

    def as_texts(self) -> dict[str, str]:
        return {name: as_text(number) for name, number in sorted(self._sums.items())}


def grouped(text: str) -> str:
    """A decimal text with its digits before the point in groups of three, for reading."""
    minus = "-" if text.startswith("-") else ""
    whole, point, fraction = text[len(minus) :].partition(".")
    first = len(whole) % 3
    groups = [whole[:first]] if first else []
    groups += [whole[start : start + 3] for start in range(first, len(whole), 3)]
    return f"{minus}{','.join(groups)}{point}{fraction}"
