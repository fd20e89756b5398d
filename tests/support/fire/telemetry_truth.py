"""
What CloudZero must hold after telemetry was sent, worked out from the documentation alone.

Nothing here knows the client: a record is an identity and an amount, and how it is written stays with the one who
wrote it.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any, NamedTuple

#: "15 significant digits", and no total may lose one.
_EXACT = Context(prec=200)
KEPT_DIGITS = 15
WHOLE_DIGITS = 18
FRACTION_DIGITS = 30


class Identity(NamedTuple):
    """Everything of a record but its value; ``element`` is ``None`` for a metric, and for a deletion of all of them."""

    period: str
    element: str | None
    keys: frozenset[tuple[str, tuple[str, ...]]]

    @property
    def key_set(self) -> frozenset[str]:
        return frozenset(name for name, _ in self.keys)


@dataclass(frozen=True)
class Record:
    """A record that is given to the operator: what it says, and how that is written."""

    identity: Identity
    amount: Decimal
    written: Mapping[str, Any]


Held = dict[Identity, Decimal]


def held_of(records: Iterable[Mapping[str, Any]]) -> Held:
    """What the sandbox says it holds of a stream, which is exact."""
    found: Held = {}
    for record in records:
        keys = frozenset(
            (name, tuple(sorted(values)) if isinstance(values, list) else (values,))
            for name, values in record["keys"].items()
        )
        identity = Identity(record["timestamp"], record["element_name"], keys)
        assert identity not in found, f"{identity} is held twice"
        found[identity] = Decimal(record["value"])
    return found


def add(numbers: Iterable[Decimal]) -> Decimal:
    """An exact sum."""
    total = Decimal(0)
    for number in numbers:
        total = _EXACT.add(total, number)
    return total


def amounts_by_identity(records: Iterable[Record]) -> dict[Identity, list[Decimal]]:
    """The amounts that are given for each identity."""
    found: dict[Identity, list[Decimal]] = defaultdict(list)
    for record in records:
        found[record.identity].append(record.amount)
    return dict(found)


def fits(amount: Decimal) -> bool:
    """Whether CloudZero keeps a value as it is."""
    text = f"{amount:f}"
    whole, _, fraction = (text.rstrip("0").rstrip(".") if "." in text else text).partition(".")
    digits = (whole + fraction).strip("0")
    return len(digits) <= KEPT_DIGITS and len(whole) <= WHOLE_DIGITS and len(fraction) <= FRACTION_DIGITS


def hides(deleted: Identity, held: Identity, *, exact: bool) -> bool:
    """Whether a deletion finds a record: by the properties it names, or (``exact``) by its keys and no more."""
    if deleted.period != held.period or deleted.element not in (None, held.element):
        return False
    return deleted.keys in (frozenset(), held.keys) or (not exact and deleted.keys <= held.keys)


@dataclass(frozen=True)
class Order:
    """What the operator is told to do."""

    operation: str
    on_duplicate: str
    on_zero: str
    clear_periods: bool
    records: tuple[Record, ...]
    #: How CloudZero matches a deletion that names keys, which is not published.
    deletes_exactly: bool = False
    #: Whether a record replaces all that have its properties, which the specification can be read to say.
    replaces_by_properties: bool = False

    @property
    def sums(self) -> Held:
        """Each identity with what its records come to."""
        return {identity: add(amounts) for identity, amounts in amounts_by_identity(self.records).items()}

    @property
    def zeros(self) -> set[Identity]:
        """The identities that come to zero, in an order that replaces."""
        return {identity for identity, amount in self.sums.items() if not amount}

    @property
    def deleted(self) -> set[Identity]:
        """What is deleted, without the periods that are cleared."""
        if self.operation == "delete":
            return set(self.sums)
        return self.zeros if self.on_zero == "delete" else set()

    @property
    def cleared(self) -> set[Identity]:
        """The periods that are deleted first."""
        periods = {identity.period for identity in self.sums} if self.clear_periods else set()
        return {Identity(period, None, frozenset()) for period in periods}

    def is_replaced(self, held: Identity) -> bool:
        """Whether one of the records, other than itself, takes the place of a record that is held."""
        if self.operation != "replace" or not self.replaces_by_properties:
            return False
        written = (identity for identity, amount in self.sums.items() if amount)
        return any(one != held and hides(one, held, exact=False) for one in written)

    def is_refused(self) -> bool:
        """Whether the records break a rule, so that nothing may be sent."""
        deleted_with_more = any(one.key_set < other.key_set for one in self.deleted for other in self.sums)
        if self.operation == "delete" or deleted_with_more:
            return deleted_with_more
        if self.operation == "sum":
            return self.on_zero == "error" and not all(record.amount for record in self.records)
        counts = [len(amounts) for amounts in amounts_by_identity(self.records).values()]
        refuses_duplicates = self.on_duplicate == "error" and max(counts, default=0) > 1
        refuses_zeros = self.on_zero == "error" and bool(self.zeros)
        return refuses_duplicates or refuses_zeros or not all(map(fits, self.sums.values()))

    def after(self, held: Held) -> Held:
        """What a stream that held this holds once the order is carried out."""
        if self.operation == "sum":
            written = {i: add((amount, held.get(i, Decimal(0)))) for i, amount in self.sums.items() if amount}
            return held | written
        deleted = self.deleted | self.cleared
        kept = {
            identity: amount
            for identity, amount in held.items()
            if not any(hides(one, identity, exact=self.deletes_exactly) for one in deleted)
            and not self.is_replaced(identity)
        }
        written = {} if self.operation == "delete" else {i: amount for i, amount in self.sums.items() if amount}
        return kept | written

    def in_between(self, before: Held) -> dict[Identity, set[Decimal]]:
        """The values that each identity may have while the order is not carried out; zero stands for none."""
        if self.operation == "sum":
            return self._partly_added(before)
        after = self.after(before)
        return {
            identity: {before.get(identity, Decimal(0)), after.get(identity, Decimal(0))}
            | ({Decimal(0)} if self._has_a_gap(identity) else set())
            for identity in before | after
        }

    def _has_a_gap(self, identity: Identity) -> bool:
        """Whether a record may be gone until it is sent."""
        return self.is_replaced(identity) or any(hides(one, identity, exact=True) for one in self.cleared)

    def _partly_added(self, before: Held) -> dict[Identity, set[Decimal]]:
        """Each record of an identity is in or is not, and none is in twice."""
        found = {identity: {amount} for identity, amount in before.items()}
        for identity, amounts in amounts_by_identity(self.records).items():
            old = before.get(identity, Decimal(0))
            parts = itertools.chain.from_iterable(
                itertools.combinations(amounts, count) for count in range(len(amounts) + 1)
            )
            found[identity] = {add((old, *part)) for part in parts}
        return found


def misfits(held: Held, allowed: Mapping[Identity, set[Decimal]]) -> list[str]:
    """Identities that have none of the values they may have."""
    nothing = {Decimal(0)}
    return [
        f"{identity} has {held.get(identity)}, may have {sorted(allowed.get(identity, nothing))}"
        for identity in held.keys() | allowed.keys()
        if held.get(identity, Decimal(0)) not in allowed.get(identity, nothing)
    ]
