"""
The words of an error reply, dug out of every shape that CloudZero documents or has been seen to send.

``{"error": {"message", "type", "details", "errors", "event_details"}}`` (V2, telemetry), ``{"message"}`` (403, 413),
``{"detail": [...]}`` (422), plain text, HTML of a gateway, nothing at all.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_TEXT = 1000
_TAGS = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.IGNORECASE | re.DOTALL)


def error_text(body: bytes, *, secret: str) -> str:
    """
    Describe an error reply in one line.

    :param body: what the server sent.
    :param secret: the key, taken out should a server echo it.
    :return: at most 1,000 characters; ``(no text)`` for an empty body.
    """
    raw = body[: 64 * MAX_TEXT].decode("utf-8", errors="replace")
    try:
        parsed = json.loads(raw)
    except (ValueError, RecursionError):
        parsed = None
    words = " ".join("; ".join(_pieces(parsed)).split()) if parsed is not None else ""
    if not words:
        words = " ".join(_TAGS.sub(" ", raw).split())
    words = words.replace(secret, "***")
    return words[:MAX_TEXT] + "…" if len(words) > MAX_TEXT else words or "(no text)"


def error_kind(body: bytes) -> tuple[str | None, dict[str, Any]]:
    """Find CloudZero's own name of an error and the details that come with it, when there are any."""
    try:
        error = json.loads(body)["error"]
        kind, details = error.get("type"), error.get("event_details")
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError):
        return None, {}
    return kind if isinstance(kind, str) else None, details if isinstance(details, dict) else {}


def _pieces(parsed: Any) -> Iterator[str]:
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
        yield from _texts(parsed.get(key))


def _error_object(error: dict[str, Any]) -> Iterator[str]:
    kind, message = error.get("type"), error.get("message")
    if kind or message:
        yield ": ".join(str(part) for part in (kind, message) if part)
    for key in ("details", "errors", "event_details"):
        yield from _texts(error.get(key))


def _texts(value: Any) -> Iterator[str]:
    if value is None:
        return
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        yield str(value.get("error_message") or value.get("msg") or json.dumps(value))
    else:
        yield str(value)
