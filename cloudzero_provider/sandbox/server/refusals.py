"""What a refusal says, in words for the log of requests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudzero_provider.sandbox.http.replies import Reply

_MAX_LENGTH = 1_000
# A body of a fault may be of any length, and nest as deeply.
_MAX_PARSED = 100_000


def message_of(reply: Reply) -> str:
    """Return the message of an error reply with its details; of a reply in another shape, its text."""
    text = b"".join(reply.pieces()).decode("utf-8", "replace")
    words = "; ".join(_words(text)) or text
    return words if len(words) <= _MAX_LENGTH else f"{words[:_MAX_LENGTH]}…"


def _words(text: str) -> Iterator[str]:
    try:
        value = json.loads(text) if len(text) <= _MAX_PARSED else None
    except (ValueError, RecursionError):
        return
    error = value.get("error", value) if isinstance(value, dict) else None
    if not isinstance(error, dict):
        return
    if isinstance(error.get("message"), str):
        yield error["message"]
    yield from _details(error)


def _details(error: dict[str, object]) -> Iterator[str]:
    """Return the details of a telemetry error, whose message alone says little."""
    for name in ("errors", "details"):
        listed = error.get(name)
        for item in listed if isinstance(listed, list) else ():
            detail = item.get("error_message") if isinstance(item, dict) else item
            if isinstance(detail, str):
                yield detail
    if isinstance(error.get("event_details"), dict):
        yield json.dumps(error["event_details"])
