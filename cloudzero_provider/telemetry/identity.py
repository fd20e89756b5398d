"""Stable hash of a record's identity, the same as sent and as read back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timezone
from decimal import Decimal, InvalidOperation
from typing import Any

from cloudzero_provider.telemetry.record_kinds import KINDS, SIGNIFICANT_DIGITS, TRUNCATION
from cloudzero_provider.values.trailing_zeros import strip_trailing_zeros

_HASH_LENGTH = 12
_KEYS_FIELDS = tuple(kind.keys_field for kind in KINDS.values())
#: No value that was sent is that long, and one with a billion digits would exhaust memory.
_MOST_DIGITS = 1000
#: CloudZero stores the prefix ``custom:`` as ``costcontext:``.
_STORED_PREFIX, _SENT_PREFIX = "costcontext:", "custom:"


def record_hash(timestamp: str, element: str | None, keys: str | None, value: str | None) -> str:
    """
    Hash the identity of a record, and its value if given.

    :param timestamp: truncated to the granularity in UTC, like ``2026-03-01T00:00:00Z``.
    :param element: the element, if the record has one.
    :param keys: filter keys and their values, as JSON.
    :param value: as a decimal string; ``None`` leaves it out.
    """
    plain = None if value is None else strip_trailing_zeros(value)
    scope = _sorted_keys(json.loads(keys)) if keys else {}
    identity = json.dumps([timestamp, element, scope, plain], ensure_ascii=False)
    return hashlib.sha256(identity.encode()).hexdigest()[:_HASH_LENGTH]


def hashes_of(record: Mapping[str, Any], granularity: str) -> set[str]:
    """
    Hash a record that CloudZero returned, once with its value and once without.

    :param record: its fields. Names may have ``-`` instead of ``_``; the timestamp may be any ISO 8601 format.
    :param granularity: of a record without its own.
    :raises ValueError: when it can't be read as a record.
    """
    fields = {name.replace("-", "_"): value for name, value in record.items()}
    keys: Any = next((fields[name] for name in _KEYS_FIELDS if fields.get(name)), {})
    # A record without filters applies to all spend, which CloudZero also writes as "*".
    scope = None if keys in ({}, "*") else json.dumps(keys)
    period = _period(fields.get("timestamp"), str(fields.get("granularity") or granularity).upper())
    element, value = fields.get("element_name"), _plain_decimal(fields.get("value"))
    return {record_hash(period, element, scope, value), record_hash(period, element, scope, None)}


def _period(value: Any, granularity: str) -> str:
    import pendulum

    if granularity not in TRUNCATION:
        raise ValueError(f"granularity {granularity!r}")
    # pendulum reads a time without an offset as UTC.
    moment = pendulum.parse(str(value))
    if not isinstance(moment, pendulum.DateTime):
        raise ValueError(f"timestamp {value!r}")
    in_utc = datetime.fromtimestamp(moment.timestamp(), timezone.utc)
    return in_utc.replace(**TRUNCATION[granularity]).strftime("%Y-%m-%dT%H:%M:%SZ")  # type: ignore[arg-type]


def _sorted_keys(keys: Any) -> dict[str, Any]:
    if not isinstance(keys, Mapping):
        raise ValueError(f"filter keys {keys!r}")
    named = {_key_as_sent(key): value for key, value in keys.items()}
    return {key: sorted(named[key]) if isinstance(named[key], list) else named[key] for key in sorted(named)}


def _key_as_sent(key: str) -> str:
    return _SENT_PREFIX + key[len(_STORED_PREFIX) :] if key.startswith(_STORED_PREFIX) else key


def _plain_decimal(value: Any) -> str:
    """Format a number as it was sent: CloudZero keeps 15 significant digits, and may return a float."""
    try:
        number = Decimal(f"{value:.{SIGNIFICANT_DIGITS}g}") if isinstance(value, float) else Decimal(str(value))
    except InvalidOperation:
        raise ValueError(f"value {value!r}") from None
    if not number.is_finite() or abs(number.adjusted()) > _MOST_DIGITS:
        raise ValueError(f"value {value!r}")
    return format(number, "f")
