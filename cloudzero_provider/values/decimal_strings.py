"""Exact arithmetic with a few decimal strings; :mod:`~cloudzero_provider.values.exact_sums` sums columns."""

from __future__ import annotations

from decimal import Context, Decimal

from cloudzero_provider.values.trailing_zeros import strip_trailing_zeros

#: Python rounds the results of Decimals to 28 digits otherwise.
EXACT = Context(prec=200)


def decimal_string(amount: Decimal) -> str:
    """Return an amount without an exponent and insignificant zeros."""
    return strip_trailing_zeros(format(amount, "f"))


def sum_of(*amounts: str) -> str:
    """Sum decimal strings exactly."""
    total = Decimal(0)
    for amount in amounts:
        total = EXACT.add(total, Decimal(amount))
    return decimal_string(total)


def difference(after: str, before: str) -> Decimal:
    """Subtract decimal strings exactly."""
    return EXACT.subtract(Decimal(after), Decimal(before))
