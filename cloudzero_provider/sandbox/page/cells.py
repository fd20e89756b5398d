"""Texts on the page."""

from __future__ import annotations

from html import escape

_LONGEST_CELL = 120


def cell(value: object) -> str:
    """A value as HTML, cut where it would blow up the page; None is empty."""
    text = "" if value is None else str(value)
    return escape(text if len(text) <= _LONGEST_CELL else f"{text[:_LONGEST_CELL]}…")
