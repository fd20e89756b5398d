"""What a request waits for: a fault's delay, or its client. A reset ends both kinds of wait."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from aiohttp import web

Result = TypeVar("Result")


class DelayedRequests:
    """Requests delayed by a fault. A reset ends the delays, so that nothing from before it is applied after it."""

    def __init__(self) -> None:
        self._ended = asyncio.Event()
        self._numbers: set[int] = set()

    async def delay(self, number: int, seconds: float) -> bool:
        """Delay a request; return False if a reset ended the delay."""
        ended = self._ended
        self._numbers.add(number)
        try:
            await asyncio.wait_for(ended.wait(), seconds)
        except asyncio.TimeoutError:
            return True
        finally:
            self._numbers.discard(number)
        return False

    def end_all(self) -> frozenset[int]:
        """End all delays; return the numbers of the delayed requests."""
        self._ended.set()
        self._ended = asyncio.Event()
        return frozenset(self._numbers)


class WaitingClients:
    """
    Requests that wait for their client to send the body or to read the reply.

    They count as running on their stream, so a stalled client must not block it forever.
    """

    def __init__(self) -> None:
        self._requests: dict[int, web.Request] = {}

    async def wait(
        self, number: int, request: web.Request, work: Awaitable[Result], seconds: float | None = None
    ) -> Result:
        """
        Await work that depends on the client.

        :param seconds: time limit, after which ``asyncio.TimeoutError`` is raised; None for no limit.
        """
        self._requests[number] = request
        try:
            return await asyncio.wait_for(work, seconds)
        finally:
            del self._requests[number]

    def disconnect_all(self) -> frozenset[int]:
        """Abort the connection of every waiting client; return the numbers of their requests."""
        for request in self._requests.values():
            if request.transport is not None:
                request.transport.abort()
        return frozenset(self._requests)
