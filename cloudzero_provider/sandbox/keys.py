"""API keys and their scopes (https://docs.cloudzero.com/reference/authorization)."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Scope(Enum):
    """Scopes a CloudZero API key can have, as far as the sandbox has a use for them."""

    READ_CONNECTIONS = "connections:read_billings"
    READ_CONNECTION = "connections:read_billing"
    CREATE_CONNECTION = "connections:create_billing"
    UPDATE_CONNECTION = "connections:update_billing"
    DELETE_CONNECTION = "connections:delete_billing"
    CREATE_DROP = "connections:create_billing_anycost_billing_drop"
    VALIDATE_DROP = "connections:create_billing_anycost_validate_billing_drop"
    READ_DROPS = "connections:read_billing_anycost_billing_drops"
    READ_DROP = "connections:read_billing_anycost_billing_drops_month"
    MANAGE_TELEMETRY = "unit-cost_v1:manage_telemetry_records"
    READ_TELEMETRY = "unit-cost_v1:read_telemetry"
    DELETE_TELEMETRY_STREAM = "unit-cost_v1:delete_telemetry_stream"


class InvalidKeyOptionError(ValueError):
    """An ``--api-key`` that cannot be used; the message never has the key in it."""


@dataclass(frozen=True)
class ApiKey:
    """A key the sandbox knows."""

    secret: bytes
    scopes: frozenset[Scope]

    def __repr__(self) -> str:
        return "ApiKey(...)"


def parse_key(text: str) -> ApiKey:
    """``KEY`` has every scope, ``KEY:scope,scope`` only the named ones."""
    secret, colon, scopes = text.partition(":")
    if not secret or secret != secret.strip():
        raise InvalidKeyOptionError("--api-key needs a key without surrounding spaces")
    if not colon:
        return ApiKey(secret.encode(), frozenset(Scope))
    try:
        return ApiKey(secret.encode(), frozenset(Scope(scope.strip()) for scope in scopes.split(",")))
    except ValueError:
        known = ", ".join(scope.value for scope in Scope)
        raise InvalidKeyOptionError(f"--api-key names a scope that does not exist. Scopes: {known}") from None


class KeyRing:
    """The keys the sandbox knows. It holds them in memory only."""

    def __init__(self, keys: Sequence[ApiKey]) -> None:
        self._keys = tuple(keys)
        self._secrets = re.compile("|".join(_anywhere(key.secret.decode()) for key in keys) or r"(?!)")

    def find(self, authorization: str | None, *, bearer: bool = False) -> ApiKey | None:
        """The key that an ``Authorization`` header holds: the bare key, or with ``Bearer`` where that is taken."""
        text = authorization or ""
        given = (text.removeprefix("Bearer ") if bearer else text).encode("utf-8", "surrogateescape")
        found = [key for key in self._keys if hmac.compare_digest(key.secret, given)]
        return found[0] if found else None

    def without_keys(self, text: str) -> str:
        """The text with every known key blacked out, for whatever is logged or shown."""
        return self._secrets.sub("***", text)


def _anywhere(secret: str) -> str:
    # A short key ("k") would black out parts of ordinary words, so it counts only as a word of its own.
    escaped = re.escape(secret)
    return escaped if len(secret) >= 6 else rf"(?<!\w){escaped}(?!\w)"
