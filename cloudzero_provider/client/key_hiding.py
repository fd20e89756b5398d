"""Remove the API key from what a server sends, however the server encoded it."""

from __future__ import annotations

import base64
import html
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from collections.abc import Iterator

LEFT_OUT = "(omitted: it contains the API key)"
_SHORTEST_PART = 4
# Encoded forms of shorter keys would match ordinary words.
_SHORTEST_ENCODED = 8
_JSON_ESCAPE = re.compile(r"\\+u([0-9a-fA-F]{4})")


def without_key(text: str, secret: str) -> str:
    """Replace the key, in any encoding, by ``***``, and also its beginning where the text was cut off."""
    for form in sorted(_forms(secret), key=len, reverse=True):
        text = text.replace(form, "***")
    for length in range(len(secret) - 1, _SHORTEST_PART - 1, -1):
        if text.endswith(secret[:length]):
            return f"{text[:-length]}***"
    return text


def holds_key(text: str, secret: str) -> bool:
    """Whether a string contains the key, also escaped or with unprintable characters in between."""
    if len(secret) < _SHORTEST_ENCODED:
        return secret in text
    squeezed = "".join(character for character in text if character.isprintable() and not character.isspace())
    return any(form in reading for form in _forms(secret) for reading in _decoded(squeezed))


def _forms(secret: str) -> set[str]:
    """Return the encodings in which a server may echo the key."""
    raw = secret.encode()
    encoded = base64.b64encode(raw).decode()
    written = {secret, quote(secret), quote(secret, safe=""), html.escape(secret), encoded, encoded.rstrip("=")}
    if len(secret) >= _SHORTEST_ENCODED:
        written |= {raw.hex(), raw.hex().upper(), *_within_base64(raw)}
    return {form for form in written | {json.dumps(form)[1:-1] for form in written} if form}


def _within_base64(raw: bytes) -> Iterator[str]:
    """Yield the part of the key's base64 that does not depend on what comes before or after it."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw + b"\0" * 3).decode()
        inside = encoded[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]
        yield inside
        yield inside.translate(str.maketrans("+/", "-_"))


def _decoded(text: str) -> Iterator[str]:
    yield text
    yield unquote(text)
    yield html.unescape(text)
    yield _JSON_ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), text)
