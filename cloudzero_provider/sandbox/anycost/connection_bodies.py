"""
The bodies of requests that create or change a connection.

https://docs.cloudzero.com/reference/createbillingconnection and
https://docs.cloudzero.com/reference/updateonebillingconnection
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.anycost.connections import (
    HOURS_BETWEEN_INGESTS,
    Connection,
    InvalidConnectionError,
    NewConnection,
    is_name,
)
from cloudzero_provider.sandbox.common.json_text import has_no_surrogates
from cloudzero_provider.sandbox.common.problems import Problems, shortened
from cloudzero_provider.sandbox.settings.parsing import UnknownMembers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloudzero_provider.sandbox.settings.all_settings import Settings

_KEYS = ("name", "cloud_provider", "expected_ingest_rate", "is_enabled", "s3_bucket_info")
_CHANGEABLE = tuple(key for key in _KEYS if key != "cloud_provider")
_BUCKET_KEYS = ("bucket_name", "bucket_path", "cloud_account_id")
_REQUIRED_BUCKET_KEYS = ("bucket_name", "bucket_path")
_MAX_HOURS = 10_000


@dataclass(frozen=True)
class ConnectionChange:
    """Changes to a connection; None keeps a value. In ``bucket``, None removes a key."""

    name: str | None
    expected_ingest_rate: float | None
    is_enabled: bool | None
    bucket: Mapping[str, str | None]

    def bucket_of(self, connection: Connection) -> dict[str, str]:
        """Return the connection's bucket after the change."""
        changed = {**(connection.bucket or {}), **self.bucket}
        return {key: text for key, text in changed.items() if text is not None}


def parse_new(value: object, settings: Settings) -> NewConnection:
    """Parse the body of a request that creates a connection."""
    body, problems = _object(value), Problems()
    _check_members(body, _KEYS, "a connection", settings, problems)
    name, provider = body.get("name"), body.get("cloud_provider")
    if not isinstance(name, str) or not is_name(name):
        problems.add("name: is required and may contain only letters, digits, - and _")
    if not isinstance(provider, str) or not provider.strip() or not has_no_surrogates(provider):
        problems.add("cloud_provider: is required and must be a string that is not blank")
    rate = _rate(body.get("expected_ingest_rate"), problems)
    enabled = _enabled(body.get("is_enabled", True), problems)
    bucket = _bucket(body.get("s3_bucket_info"), settings, problems)
    if bucket is not None and not set(_REQUIRED_BUCKET_KEYS) <= set(bucket):
        problems.add("s3_bucket_info: bucket_name and bucket_path are required")
    if bucket is not None and None in bucket.values():
        problems.add("s3_bucket_info: must be an object of strings, or null")
    _refuse_if_any(problems)
    strings = None if bucket is None else {key: str(text) for key, text in bucket.items()}
    return NewConnection(str(name), str(provider), rate, enabled, strings)


def parse_change(value: object, settings: Settings) -> ConnectionChange:
    """
    Parse the body of a request that changes a connection.

    The effect of ``s3_bucket_info: null`` is not published; here it keeps the bucket, since a connection without one
    has another type.
    """
    body, problems = _object(value), Problems()
    _check_members(body, _CHANGEABLE, "a connection that is changed", settings, problems)
    name = body.get("name")
    if "name" in body and (not isinstance(name, str) or not is_name(name)):
        problems.add("name: may contain only letters, digits, - and _")
    rate = _rate(body["expected_ingest_rate"], problems) if "expected_ingest_rate" in body else None
    enabled = _enabled(body["is_enabled"], problems) if "is_enabled" in body else None
    bucket = _bucket(body.get("s3_bucket_info"), settings, problems) or {}
    if any(bucket.get(key, "") is None for key in _REQUIRED_BUCKET_KEYS):
        problems.add("s3_bucket_info: bucket_name and bucket_path must be strings")
    _refuse_if_any(problems)
    return ConnectionChange(None if name is None else str(name), rate, enabled, bucket)


def _object(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise InvalidConnectionError("the body must be a JSON object")
    return value


def _refuse_if_any(problems: Problems) -> None:
    if problems.count:
        raise InvalidConnectionError(problems.as_text())


def _check_members(
    body: Mapping[str, object], known: tuple[str, ...], of: str, settings: Settings, problems: Problems
) -> None:
    if settings.unknown_members is UnknownMembers.REFUSE:
        for key in body:
            if key not in known:
                problems.add(f"{shortened(key)}: is not a key of {of} ({', '.join(known)})")


def _enabled(value: object, problems: Problems) -> bool:
    if not isinstance(value, bool):
        problems.add("is_enabled: must be true or false")
    return bool(value)


def _rate(value: object, problems: Problems) -> float:
    if value is None:
        return HOURS_BETWEEN_INGESTS
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < _MAX_HOURS:
        return float(value)
    problems.add("expected_ingest_rate: must be a number of hours or null")
    return HOURS_BETWEEN_INGESTS


def _bucket(value: object, settings: Settings, problems: Problems) -> dict[str, str | None] | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        problems.add("s3_bucket_info: must be an object of strings, or null")
        return None
    _check_members(value, _BUCKET_KEYS, "s3_bucket_info", settings, problems)
    found = {key: text for key, text in value.items() if key in _BUCKET_KEYS}
    if not all(text is None or isinstance(text, str) for text in found.values()):
        problems.add("s3_bucket_info: must be an object of strings, or null")
    return found
