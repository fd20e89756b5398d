"""Requests that wait for their client: for its body to arrive, or for the reply to be taken."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from aiohttp import web

Result = TypeVar("Result")


class Clients:
    """Meanwhile a request runs on its stream, so a client that stalls must not have for ever."""

    def __init__(self) -> None:
        self._waiting: dict[int, web.Request] = {}

    async def wait(
        self, number: int, request: web.Request, work: Awaitable[Result], seconds: float | None = None
    ) -> Result:
        """
        Do what depends on a client.

        :param seconds: after which ``asyncio.TimeoutError`` is raised.
        """
        self._waiting[number] = request
        try:
            return await asyncio.wait_for(work, seconds)
        finally:
            del self._waiting[number]

    def give_up(self) -> frozenset[int]:
        """End the connection of each client that is waited for; gives the numbers of their requests."""
        for request in self._waiting.values():
            if request.transport is not None:
                request.transport.abort()
        return frozenset(self._waiting)
