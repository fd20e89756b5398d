"""
The text of an error reply, safe to log, from every shape that CloudZero documents or has been seen to send.

``{"error": {"message", "type", "details", "errors", "event_details"}}`` (V2, telemetry), ``{"message"}`` (403, 413),
``{"detail": [...]}`` (422), plain text, a gateway's HTML, or an empty body. The key is removed if a server echoes it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from cloudzero_provider.client.key_hiding import LEFT_OUT, holds_key, without_key

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_TEXT = 1000
_MAX_RAW = 8 * MAX_TEXT
_TAG = re.compile(r"<(style|script)\b[^<]*</\1>|<[^<>]*>", re.IGNORECASE)


def error_text(body: bytes, *, secret: str) -> str:
    """
    Describe an error reply in one line.

    :param body: of the reply.
    :param secret: the key, which is removed.
    :return: at most 1,000 characters; ``(no text)`` for an empty body.
    """
    raw = body.decode("utf-8-sig", errors="replace")
    if body.count(0) > len(body) / 3:  # UTF-16
        raw = raw.replace("\0", "")
    try:
        words = "; ".join(_error_parts(json.loads(raw)))
    except (ValueError, RecursionError):
        words = ""
    return fit_for_logs(words or _TAG.sub(" ", raw[:_MAX_RAW]), secret=secret)


def value_text(value: Any, *, secret: str) -> str:
    """Describe a part of a reply, of any shape, in one line of at most 1,000 characters."""
    try:
        words = "; ".join(_strings_in(value))
    except RecursionError:
        words = ""
    return fit_for_logs(words, secret=secret)


def fit_for_logs(text: str, *, secret: str) -> str:
    """
    Remove the key and unprintable characters from a string, and cut it to 1,000 characters.

    :param text: from the server.
    :param secret: the key.
    """
    text = without_key(text, secret)[: 4 * MAX_TEXT]
    if holds_key(text, secret):
        return LEFT_OUT
    printable = "".join(character if character.isprintable() else " " for character in text)
    words = " ".join(printable.split())
    return words[:MAX_TEXT] + "…" if len(words) > MAX_TEXT else words or "(no text)"


def error_kind(body: bytes, *, secret: str) -> tuple[str | None, dict[str, Any]]:
    """Return CloudZero's name of an error and its details; ``None`` and ``{}`` without them."""
    try:
        error = json.loads(body)["error"]
        kind, details = error.get("type"), error.get("event_details")
        if holds_key(json.dumps([kind, details]), secret):
            return None, {}
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError):
        return None, {}
    return kind if isinstance(kind, str) else None, details if isinstance(details, dict) else {}


def _error_parts(parsed: Any) -> Iterator[str]:
    if isinstance(parsed, str):
        yield parsed
    if not isinstance(parsed, dict):
        return
    error = parsed.get("error")
    if isinstance(error, dict):
        yield from _error_object(error)
    elif isinstance(error, str):
        yield error
    for key in ("message", "detail", "errors"):
        yield from _strings_in(parsed.get(key))


def _error_object(error: dict[str, Any]) -> Iterator[str]:
    kind, message = error.get("type"), error.get("message")
    if kind or message:
        yield ": ".join(str(part) for part in (kind, message) if part)
    for key in ("details", "errors", "event_details"):
        yield from _strings_in(error.get(key))


def _strings_in(value: Any) -> Iterator[str]:
    if value is None:
        return
    if isinstance(value, list):
        for item in value:
            yield from _strings_in(item)
    elif isinstance(value, dict):
        yield str(value.get("error_message") or value.get("msg") or json.dumps(value))
    else:
        yield str(value)
