"""
The filter keys of a record: ``associated_cost`` of a metric, ``filter`` of an allocation.

"Up to 5 filters"; a metric has one string per key, an allocation a list of up to 20.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cloudzero_provider.sandbox.common.json_text import canonical_json, has_no_surrogates
from cloudzero_provider.sandbox.settings.fields import Permission
from cloudzero_provider.sandbox.settings.telemetry import FilterValueOrder
from cloudzero_provider.sandbox.telemetry.model import StreamKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudzero_provider.sandbox.settings.all_settings import Settings

MAX_KEYS = 5
MAX_VALUES = 20
KEYS_FIELD = {StreamKind.METRIC: "associated_cost", StreamKind.ALLOCATION: "filter"}
_ALL_SPEND = "*"
# CloudZero's errors show custom:... as costcontext:...
_CUSTOM, _CUSTOM_IN_ERRORS = "custom:", "costcontext:"

KeySet = tuple[str, ...]


class RecordKeys(NamedTuple):
    """A record's keys: their sorted names, and names and values as compact JSON with sorted keys."""

    key_set: KeySet
    text: str


NO_KEYS = RecordKeys((), "{}")


def parse_keys(kind: StreamKind, value: object, settings: Settings) -> RecordKeys:
    """Parse the field with a record's keys; ``ValueError`` says what is wrong with it."""
    if kind is StreamKind.ALLOCATION and value == _ALL_SPEND:
        return NO_KEYS
    if not isinstance(value, dict):
        raise ValueError("must be an object")
    if len(value) > MAX_KEYS:
        raise ValueError(f"has {len(value)} keys, the limit is {MAX_KEYS}")
    if not all(value) or not _are_strings(value):
        raise ValueError("must have keys that are not blank")
    if kind is StreamKind.METRIC:
        _check_strings(value.values())
        found: dict[str, object] = value
    else:
        found = {key: _values(values, settings) for key, values in value.items()}
    return RecordKeys(tuple(sorted(value)), canonical_json(found))


def _check_strings(values: Iterable[object]) -> None:
    if not _are_strings(values):
        raise ValueError("must have one string for each key")


def _values(values: object, settings: Settings) -> list[str]:
    minimum = 0 if settings.empty_filter_values is Permission.ACCEPT else 1
    if not isinstance(values, list) or not minimum <= len(values) <= MAX_VALUES or not _are_strings(values):
        number = f"{minimum} to {MAX_VALUES}" if minimum else f"up to {MAX_VALUES}"
        raise ValueError(f"must have an array of {number} strings for each key")
    return values if settings.filter_value_order is FilterValueOrder.SIGNIFICANT else sorted(set(values))


def _are_strings(values: Iterable[object]) -> bool:
    return all(isinstance(value, str) and has_no_surrogates(value) for value in values)


def names_in_errors(key_set: Iterable[str]) -> list[str]:
    """Return a key set as CloudZero's errors show it."""
    return [f"{_CUSTOM_IN_ERRORS}{key[len(_CUSTOM) :]}" if key.startswith(_CUSTOM) else key for key in sorted(key_set)]
