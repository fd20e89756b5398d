"""Waiting that a reset cuts short, so that nothing from before a reset happens after it."""

from __future__ import annotations

import asyncio


class Pauses:
    """Requests that are held back."""

    def __init__(self) -> None:
        self._cut = asyncio.Event()
        self._waiting: set[int] = set()

    async def wait(self, number: int, seconds: float) -> bool:
        """Hold a request back; False when it was cut short."""
        cut = self._cut
        self._waiting.add(number)
        try:
            await asyncio.wait_for(cut.wait(), seconds)
        except asyncio.TimeoutError:
            return True
        finally:
            self._waiting.discard(number)
        return False

    def cut_short(self) -> frozenset[int]:
        """End every pause; gives the numbers of the requests that were held back."""
        self._cut.set()
        self._cut = asyncio.Event()
        return frozenset(self._waiting)
