"""
Which requests are running on which stream.

"The AnyCost Stream API does not support concurrent requests for the same stream":
https://docs.cloudzero.com/docs/anycost-send-stream-data
"""

from __future__ import annotations

from dataclasses import dataclass

from cloudzero_provider.sandbox.settings.anycost import ConcurrentScope


@dataclass(frozen=True)
class Running:
    """A request on a stream."""

    number: int
    stream: str
    writes: bool


class RunningRequests:
    """A request is here from the arrival of its headers until its reply is finished or its drop applied."""

    def __init__(self) -> None:
        self._running: dict[int, Running] = {}

    def others(self, stream: str) -> tuple[Running, ...]:
        return tuple(other for other in self._running.values() if other.stream == stream)

    def enter(self, request: Running) -> None:
        self._running[request.number] = request

    def leave(self, number: int) -> None:
        self._running.pop(number, None)

    def numbers(self) -> frozenset[int]:
        return frozenset(self._running)


def clashes(others: tuple[Running, ...], scope: ConcurrentScope, *, writes: bool) -> bool:
    """Whether a request may not run beside the others."""
    if scope is ConcurrentScope.WRITES:
        return writes and any(other.writes for other in others)
    return bool(others)
