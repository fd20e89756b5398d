"""The query parameter ``limit``, the same for connections and telemetry records."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_LIMIT = 1000


class InvalidParameterError(ValueError):
    """An invalid query parameter; the message names it."""


def parse_limit(query: Mapping[str, str], default: int = MAX_LIMIT) -> int:
    """Return how many items a request asks for."""
    text = query.get("limit", str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= MAX_LIMIT):
        raise InvalidParameterError(f"limit must be a whole number from 1 to {MAX_LIMIT}")
    return int(text)
