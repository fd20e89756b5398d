"""API keys and their scopes (https://docs.cloudzero.com/reference/authorization)."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING
from urllib.parse import unquote

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
        texts = [key.secret.decode() for key in keys]
        self._secrets = re.compile("|".join(map(_anywhere, texts)) or r"(?!)")
        self._as_seen = tuple(seen for seen in map(_as_seen, texts) if len(seen) >= _LONG)

    def find(self, authorization: str | None, *, bearer: bool = False) -> ApiKey | None:
        """The key that an ``Authorization`` header holds: the bare key, or with ``Bearer`` where that is taken."""
        text = authorization or ""
        given = (text.removeprefix("Bearer ") if bearer else text).encode("utf-8", "surrogateescape")
        found = [key for key in self._keys if hmac.compare_digest(key.secret, given)]
        return found[0] if found else None

    def without_keys(self, text: str) -> str:
        """
        The text with every known key blacked out, for whatever is logged or shown.

        Where a key is encoded or split by what nobody sees, nothing of the text is left.
        """
        shown = self._secrets.sub(BLACK, text)
        seen = _as_seen(shown)
        return BLACK if any(secret in seen for secret in self._as_seen) else shown


BLACK = "***"
# A shorter key ("k") would black out parts of ordinary words, so it counts only as a word of its own.
_LONG = 6
_ESCAPE = re.compile(r"\\+(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|[abfnrtv0])")
_UNSEEN = re.compile(r"[\s\x00-\x20\x7f-\xa0\xad\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufffd+]+")
_MOST_TIMES_ENCODED = 8


def _anywhere(secret: str) -> str:
    escaped = re.escape(secret)
    return escaped if len(secret) >= _LONG else rf"(?<!\w){escaped}(?!\w)"


def _as_seen(text: str) -> str:
    """The text with nothing percent-encoded or escaped in it, and without white space and what is not to be seen."""
    for _ in range(_MOST_TIMES_ENCODED):
        decoded = _ESCAPE.sub(_unescaped, unquote(text))
        if decoded == text:
            break
        text = decoded
    return _UNSEEN.sub("", text)


def _unescaped(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    return chr(int(code, 16)) if code else ""
