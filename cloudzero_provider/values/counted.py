"""Counts in sentences."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """
    Return a count and what is counted: ``1 row``, ``2,500 rows``.

    :param count: how many.
    :param noun: in the singular; its plural ends in s.
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
