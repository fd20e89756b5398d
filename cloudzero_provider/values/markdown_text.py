"""Show values as text in Markdown: whatever they hold, they are neither markup nor links nor HTML."""

from __future__ import annotations

import re

#: Line breaks, other control characters, and those that reorder text, so that it reads like another.
_INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_REORDERING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_ESCAPED = {
    **{character: f"\\{character}" for character in "*_[]`"},
    # Markdown has no structure made of character references, so these are text in every renderer.
    **{character: f"&#{ord(character)};" for character in "&<>|\\~$"},
}
_MARKUP = re.compile(f"[{re.escape(''.join(_ESCAPED))}]")
#: Renderers make links of addresses, even of escaped ones. An invisible character in them (a word joiner) prevents it.
_ADDRESS = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)|(?<=@)", re.IGNORECASE)
_WORD_JOINER = "&#8288;"


def shown(value: str, *, longest: int = 80) -> str:
    """
    Return a value as text within a line or a cell of a table.

    :param value: any text.
    :param longest: number of characters after which it is cut.
    """
    text = _REORDERING.sub("\ufffd", _INVISIBLE.sub(" ", value))
    text = text if len(text) <= longest else f"{text[: longest - 1]}…"
    if not text.strip():
        return "(blank)"
    pieces = _ADDRESS.split(text.strip())
    return _WORD_JOINER.join(_MARKUP.sub(lambda match: _ESCAPED[match[0]], piece) for piece in pieces)
