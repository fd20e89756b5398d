"""Values and filter keys of telemetry records."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from cloudzero_provider.sources import is_text
from cloudzero_provider.telemetry.record_kinds import MAX_KEYS, MAX_VALUES_PER_KEY, SIGNIFICANT_DIGITS
from cloudzero_provider.values.conversion import Converted, as_text, decimal_text, plain_decimals

if TYPE_CHECKING:
    from cloudzero_provider.telemetry.record_kinds import RecordKind
    from cloudzero_provider.values.python_values import Values

TOO_PRECISE = (
    f"more than the {SIGNIFICANT_DIGITS} significant digits that CloudZero keeps: round it first "
    "(floats are rounded automatically)"
)


def convert_values(values: Values) -> tuple[Converted, int]:
    """
    Convert values to JSON numbers.

    :param values: int, float, Decimal or decimal strings. Floats are rounded to 15 significant digits.
    :return: the numbers as strings, and how many floats were changed by rounding.
    """
    rounded = 0

    def to_text(value: object) -> str:
        nonlocal rounded
        if isinstance(value, float) and math.isfinite(value):
            text = format(Decimal(f"{value:.{SIGNIFICANT_DIGITS}g}"), "f")
            rounded += float(text) != value
            return text
        return decimal_text(value)

    column = plain_decimals(as_text(values, to_text))
    digits = column.strings.str.replace_all(r"[-.]", "").str.strip_chars("0")
    for index in (digits.str.len_chars() > SIGNIFICANT_DIGITS).fill_null(False).arg_true().to_list():
        column.bad[index] = TOO_PRECISE
    return column, rounded


def is_zero(decimals: pl.Series) -> pl.Series:
    """Mask of the values that are zero, in any notation."""
    return (decimals.str.replace_all(r"[-.0]", "") == "").fill_null(False)


@dataclass
class Keys:
    """
    Filter keys of records.

    :param encoded: the keys and their values as sorted JSON; null for a record without keys.
    :param key_sets: only the keys, as JSON.
    :param bad: row index → the rule it breaks.
    """

    encoded: pl.Series
    key_sets: pl.Series
    bad: dict[int, str] = field(default_factory=dict)


def convert_keys(values: Values, kind: RecordKind) -> Keys:
    """Check filter keys and convert them to canonical JSON, so that equal keys are equal strings."""
    encoded: list[str | None] = []
    key_sets: list[str] = []
    bad: dict[int, str] = {}
    for index, value in enumerate(values):
        try:
            keys = _checked_keys(value, kind)
        except ValueError as error:
            bad[index] = str(error)
            keys = {}
        encoded.append(json.dumps(keys, ensure_ascii=False) if keys else None)
        key_sets.append(json.dumps(list(keys), ensure_ascii=False))
    return Keys(pl.Series(values=encoded, dtype=pl.String), pl.Series(values=key_sets, dtype=pl.String), bad)


def _checked_keys(value: Any, kind: RecordKind) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ValueError(f"expected a dict of filter keys and values, not {type(value).__name__}")
    if len(value) > MAX_KEYS:
        raise ValueError(f"{len(value)} filter keys: CloudZero accepts at most {MAX_KEYS}")
    for key in value:
        if not is_text(key):
            raise ValueError(f"the filter key {key!r} is not a string, or is empty")
    check = _checked_list if kind.lists_values else _checked_string
    return {key: check(key, value[key]) for key in sorted(value)}


def _checked_string(key: str, value: Any) -> str:
    if not is_text(value):
        found = type(value).__name__
        raise ValueError(f"filter key {key!r}: expected a string, not {found} (metrics don't accept lists)")
    return str.__str__(value)


def _checked_list(key: str, value: Any) -> list[str]:
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"filter key {key!r}: expected a list of strings, not {type(value).__name__}")
    if not 1 <= len(value) <= MAX_VALUES_PER_KEY:
        raise ValueError(f"filter key {key!r}: {len(value)} values; CloudZero accepts 1 to {MAX_VALUES_PER_KEY}")
    for item in value:
        if not is_text(item):
            raise ValueError(f"filter key {key!r}: the value {item!r} is not a string, or is empty")
    if len(set(value)) < len(value):
        raise ValueError(f"filter key {key!r}: a value is listed twice")
    return sorted(str.__str__(item) for item in value)
