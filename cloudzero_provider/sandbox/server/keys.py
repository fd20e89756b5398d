"""API keys and their scopes (https://docs.cloudzero.com/reference/authorization)."""

from __future__ import annotations

import hmac
import re
import traceback
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Sequence


class Scope(Enum):
    """The scopes of CloudZero API keys that the sandbox uses."""

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
    """An invalid ``--api-key``; the message never contains the key."""


@dataclass(frozen=True)
class ApiKey:
    """An API key that the sandbox accepts."""

    secret: bytes
    scopes: frozenset[Scope]

    def __repr__(self) -> str:
        return "ApiKey(...)"


def parse_key(text: str) -> ApiKey:
    """Parse ``KEY`` (with all scopes) or ``KEY:scope,scope``."""
    secret, colon, scopes = text.partition(":")
    if not secret or secret != secret.strip():
        raise InvalidKeyOptionError("--api-key needs a key without surrounding spaces")
    if not colon:
        return ApiKey(secret.encode(), frozenset(Scope))
    try:
        return ApiKey(secret.encode(), frozenset(Scope(scope.strip()) for scope in scopes.split(",")))
    except ValueError:
        known = ", ".join(scope.value for scope in Scope)
        raise InvalidKeyOptionError(f"--api-key has an unknown scope. Scopes: {known}") from None


class KeyRing:
    """The API keys that the sandbox accepts, held in memory only."""

    def __init__(self, keys: Sequence[ApiKey]) -> None:
        self._keys = tuple(keys)
        texts = [key.secret.decode() for key in keys]
        self._key_pattern = re.compile("|".join(map(_key_pattern, texts)) or r"(?!)")
        self._visible_keys = tuple(
            visible for visible in map(_visible_text, texts) if len(visible) >= _MIN_LENGTH_WITHIN_WORDS
        )

    def find(self, authorization: str | None, *, bearer: bool = False) -> ApiKey | None:
        """Return the key in an ``Authorization`` header: the bare key, or with ``Bearer`` if ``bearer`` is true."""
        text = authorization or ""
        given = (text.removeprefix("Bearer ") if bearer else text).encode("utf-8", "surrogateescape")
        found = [key for key in self._keys if hmac.compare_digest(key.secret, given)]
        return found[0] if found else None

    def without_keys(self, text: str) -> str:
        """
        Redact every known key in text that is logged or shown.

        The whole text is redacted if a key in it is encoded or split by invisible characters.
        """
        shown = self._key_pattern.sub(REDACTED, text)
        visible = _visible_text(shown)
        return REDACTED if any(secret in visible for secret in self._visible_keys) else shown

    def traceback_without_keys(self, error: BaseException) -> str:
        """Format an error's traceback without keys, since its message may contain parts of a request."""
        return self.without_keys("".join(traceback.format_exception(type(error), error, error.__traceback__)))


REDACTED = "***"
# A shorter key such as "k" occurs within ordinary words, so it is redacted only as a word of its own.
_MIN_LENGTH_WITHIN_WORDS = 6
_ESCAPE = re.compile(r"\\+(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|[abfnrtv0])")
_INVISIBLE = re.compile(r"[\s\x00-\x20\x7f-\xa0\xad\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufffd+]+")
_MAX_DECODING_ROUNDS = 8


def _key_pattern(secret: str) -> str:
    escaped = re.escape(secret)
    return escaped if len(secret) >= _MIN_LENGTH_WITHIN_WORDS else rf"(?<!\w){escaped}(?!\w)"


def _visible_text(text: str) -> str:
    """Decode percent-encoding and escapes; remove white space and invisible characters."""
    for _ in range(_MAX_DECODING_ROUNDS):
        decoded = _ESCAPE.sub(_unescape, unquote(text))
        if decoded == text:
            break
        text = decoded
    return _INVISIBLE.sub("", text)


def _unescape(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    return chr(int(code, 16)) if code else ""
