"""Hints from a transform about rows of other months, for the error that reports such rows."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_HINTS: ContextVar[list[str] | None] = ContextVar("cloudzero_month_hints", default=None)


@contextmanager
def collected_hints() -> Iterator[list[str]]:
    """Collect the hints that are added inside the block."""
    hints: list[str] = []
    token = _HINTS.set(hints)
    try:
        yield hints
    finally:
        _HINTS.reset(token)


def add_hint(text: str) -> None:
    """
    Add a hint about what to do with rows of another month; ignored outside :func:`collected_hints`.

    :param text: the hint, for the end of a sentence.
    """
    hints = _HINTS.get()
    if hints is not None and text not in hints:
        hints.append(text)
