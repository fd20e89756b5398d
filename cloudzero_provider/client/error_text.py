"""
Words of the server, made fit for a log: dug out of every shape that CloudZero documents or has been seen to send.

``{"error": {"message", "type", "details", "errors", "event_details"}}`` (V2, telemetry), ``{"message"}`` (403, 413),
``{"detail": [...]}`` (422), plain text, HTML of a gateway, nothing at all. Should a server echo the key, it is taken
out.
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

    :param body: what the server sent.
    :param secret: the key, taken out should a server echo it.
    :return: at most 1,000 characters; ``(no text)`` for an empty body.
    """
    raw = body.decode("utf-8-sig", errors="replace")
    if body.count(0) > len(body) / 3:  # UTF-16
        raw = raw.replace("\0", "")
    try:
        words = "; ".join(_pieces(json.loads(raw)))
    except (ValueError, RecursionError):
        words = ""
    return fit_for_logs(words or _TAG.sub(" ", raw[:_MAX_RAW]), secret=secret)


def words_of(value: Any, *, secret: str) -> str:
    """Describe a part of a reply, which may be of any shape, in one line."""
    try:
        words = "; ".join(_texts(value))
    except RecursionError:
        words = ""
    return fit_for_logs(words, secret=secret)


def fit_for_logs(text: str, *, secret: str) -> str:
    """
    Take the key and what can't be printed out of a text, and cut it.

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
    """Find CloudZero's own name of an error and the details that come with it, when there are any."""
    try:
        error = json.loads(body)["error"]
        kind, details = error.get("type"), error.get("event_details")
        if holds_key(json.dumps([kind, details]), secret):
            return None, {}
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
