"""
The requests that are running on each stream.

"The AnyCost Stream API does not support concurrent requests for the same stream":
https://docs.cloudzero.com/docs/anycost-send-stream-data
"""

from __future__ import annotations

from dataclasses import dataclass

from cloudzero_provider.sandbox.settings.anycost import ConcurrentScope


@dataclass(frozen=True)
class RunningRequest:
    """A running request on a stream."""

    number: int
    stream: str
    writes: bool


class RunningRequests:
    """Holds a request from the arrival of its headers until its reply is finished or its drop is applied."""

    def __init__(self) -> None:
        self._running: dict[int, RunningRequest] = {}

    def others(self, stream: str) -> tuple[RunningRequest, ...]:
        return tuple(other for other in self._running.values() if other.stream == stream)

    def enter(self, request: RunningRequest) -> None:
        self._running[request.number] = request

    def leave(self, number: int) -> None:
        self._running.pop(number, None)

    def numbers(self) -> frozenset[int]:
        return frozenset(self._running)


def has_conflict(others: tuple[RunningRequest, ...], scope: ConcurrentScope, *, writes: bool) -> bool:
    """Whether a request conflicts with the others on its stream."""
    if scope is ConcurrentScope.WRITES:
        return writes and any(other.writes for other in others)
    return bool(others)
