"""Telemetry records, drawn: what they say, and every way in which that may be written."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from decimal import Context, Decimal
from typing import Any

from hypothesis import strategies as st

from support.fire.telemetry_truth import Identity, Record

Draw = Callable[[st.SearchStrategy[Any]], Any]
Keys = frozenset[tuple[str, tuple[str, ...]]]

KEYS_FIELD = {"metric": "associated_cost", "allocation": "filter"}
GRANULARITIES = {"metric": ("DAILY", "MONTHLY"), "allocation": ("HOURLY", "DAILY", "MONTHLY")}
_MONTHS = ("2025-12", "2026-02", "2026-03")
_KEY_NAMES = ("accounts", "region", "custom:Team", 'custom:Prod "ü" \\', "tag:env", "k8s_label:日本", "🧾")
_TEXTS = ("a", "b", "A", " a", "ü", "u\u0308", "日本", '"', "\\", "*", "null", "0", "🧾\u2028", "{{ x }}")
_texts = st.one_of(st.sampled_from(_TEXTS), st.sampled_from(_TEXTS), st.text(min_size=1, max_size=12))
_OFFSETS = (0, 120, -330, 345, 840, -720)
_MINUTE = timedelta(minutes=1)
_AS_FLOAT = Context(prec=15)


@st.composite
def _periods(draw: Draw, granularity: str) -> datetime:
    first = datetime.fromisoformat(f"{draw(st.sampled_from(_MONTHS))}-01T00:00:00+00:00")
    if granularity == "MONTHLY":
        return first
    day = first + timedelta(days=draw(st.one_of(st.sampled_from((0, 27)), st.integers(0, 27))))
    return day + timedelta(hours=draw(st.integers(0, 23))) if granularity == "HOURLY" else day


_name_sets = st.lists(st.sampled_from(_KEY_NAMES), unique=True, max_size=5)


@st.composite
def _keys(draw: Draw, kind: str, name_sets: st.SearchStrategy[list[str]]) -> Keys:
    names = draw(name_sets)
    values = st.lists(_texts, min_size=1, max_size=1 if kind == "metric" else 3, unique=True)
    return frozenset((name, tuple(sorted(draw(values)))) for name in names)


@st.composite
def _with_parts(draw: Draw, keys: list[Keys]) -> list[Keys]:
    """Each of the keys, and some of them alone: what has them may be found by either."""
    parts = [draw(st.frozensets(st.sampled_from(sorted(one)), max_size=len(one) - 1)) for one in keys if one]
    return list(dict.fromkeys([*keys, *parts]))


@st.composite
def pools(draw: Draw, kind: str, granularity: str) -> list[tuple[datetime, Identity]]:
    """
    Identities to choose from, each with the start of its period: many have all but one property in common.

    In some pools, many also have the keys of another one and more; they are of few periods and elements.
    """
    mixed = draw(st.booleans())
    nested = mixed and draw(st.booleans())
    most = 2 if nested else 6
    periods = draw(st.lists(_periods(granularity), min_size=1, max_size=most, unique=True))
    elements = draw(st.lists(_texts, min_size=1, max_size=most, unique=True)) if kind == "allocation" else [None]
    name_sets = _name_sets if mixed else st.just(draw(_name_sets))
    keys = draw(st.lists(_keys(kind, name_sets), min_size=1, max_size=4, unique=True))
    if nested:
        keys = draw(st.permutations(draw(_with_parts(keys))))
    return [
        (start, Identity(f"{start:%Y-%m-%dT%H:%M:%SZ}", element, one))
        for start, element, one in itertools.product(periods, elements, keys)
    ]


_cents = st.integers(1, 10**6).map(lambda cents: Decimal(cents).scaleb(-2))
_few_digits = st.one_of(st.integers(1, 1000).map(Decimal), _cents)
_digits = st.one_of(
    _few_digits,
    st.builds(
        lambda digits, exponent: Decimal(digits).scaleb(exponent), st.integers(1, 10**15 - 1), st.integers(-30, 3)
    ),
)
_floats = st.one_of(st.sampled_from((0.1 + 0.2, 1 / 3, 5e-16, 123456789012345680.0)), st.floats(1e-12, 1e17))


@st.composite
def amounts(draw: Draw, *, few_digits: bool = False) -> tuple[Decimal, Any]:
    """A value above zero that CloudZero keeps as it is, and a way to write it."""
    if not few_digits and draw(st.integers(0, 9)) == 0:
        written = draw(_floats)
        return _AS_FLOAT.create_decimal(written), written
    amount = draw(_few_digits if few_digits else _digits)
    return amount, write_amount(amount, draw(st.integers(0, 5)))


def write_amount(amount: Decimal, form: int) -> Any:
    """One of the ways to write a number of up to 15 digits."""
    plain = f"{amount:f}"
    return {
        0: amount,
        1: plain,
        2: f"{amount:E}",
        3: int(amount) if amount == amount.to_integral_value() else amount,
        4: float(amount),
        5: f"00{plain}00" if "." in plain else f"00{plain}.0",
    }[form]


@st.composite
def written_times(draw: Draw, start: datetime, granularity: str) -> Any:
    """A time of a period, in any zone in which it is in the same month."""
    if granularity != "HOURLY" and draw(st.integers(0, 2)) == 0:
        day = f"{start:%Y-%m-%d}"
        return draw(st.sampled_from((day, date.fromisoformat(day), f"{day} 00:00", f"{day}T00:00:00")))
    length = {"HOURLY": 60, "DAILY": 1440, "MONTHLY": 28 * 1440}[granularity]
    within = draw(st.one_of(st.sampled_from((0, length - 1)), st.integers(0, length - 1)))
    moment = (
        start + within * _MINUTE + draw(st.sampled_from((timedelta(0), timedelta(seconds=59, microseconds=999999))))
    )
    there = moment.astimezone(timezone(draw(st.sampled_from(_OFFSETS)) * _MINUTE))
    if there.month != moment.month:
        there = moment
    form = draw(st.integers(0, 3))
    if form == 0:
        return there
    if form == 1:
        return moment.replace(tzinfo=None)
    return there.isoformat(sep=" " if form == 2 else "T")


def write_keys(kind: str, keys: Keys, form: int) -> dict[str, Any]:
    """The field that holds the keys: in one order or the other, and left out, ``None`` or empty without any."""
    field = KEYS_FIELD[kind]
    if not keys:
        return ({}, {field: None}, {field: {}})[form % 3]
    pairs = sorted(keys, reverse=form % 2 == 1)
    if kind == "metric":
        return {field: {name: values[0] for name, values in pairs}}
    return {field: {name: list(values if form % 2 else reversed(values)) for name, values in pairs}}


@st.composite
def written_records(
    draw: Draw, kind: str, granularity: str, chosen: tuple[datetime, Identity], amount: tuple[Decimal, Any]
) -> Record:
    """A record of an identity, written in some way."""
    start, identity = chosen
    written: dict[str, Any] = {"timestamp": draw(written_times(start, granularity)), "value": amount[1]}
    if identity.element is not None:
        written["element_name"] = identity.element
    written.update(write_keys(kind, identity.keys, draw(st.integers(0, 5))))
    return Record(identity, amount[0], written)
