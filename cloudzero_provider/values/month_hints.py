"""Hints from a transform about rows of other months, for the error that reports such rows."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from cloudzero_provider.values.counted import counted

if TYPE_CHECKING:
    from collections.abc import Iterator


class MonthHints:
    """Hints, each with the number of rows it is about."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, count: int, noun: str, text: str) -> None:
        """Add rows to a hint."""
        self._counts[noun, text] += count

    def __str__(self) -> str:
        return "; ".join(f"{counted(count, noun)} {text}" for (noun, text), count in self._counts.items())


_HINTS: ContextVar[MonthHints | None] = ContextVar("cloudzero_month_hints", default=None)


@contextmanager
def collected_hints(hints: MonthHints | None = None) -> Iterator[MonthHints]:
    """
    Collect the hints that are added inside the block.

    :param hints: receives them, beside those that it has; by default, a new object.
    """
    collected = hints or MonthHints()
    token = _HINTS.set(collected)
    try:
        yield collected
    finally:
        _HINTS.reset(token)


def add_hint(count: int, noun: str, text: str) -> None:
    """
    Add a hint about what to do with rows of another month; ignored outside :func:`collected_hints`.

    Those with the same text are added up.

    :param count: how many rows it is about.
    :param noun: what they are, in the singular.
    :param text: the hint, for the end of a sentence, after the count.
    """
    hints = _HINTS.get()
    if hints is not None:
        hints.add(count, noun, text)
