"""
A simulated clock that advances only when someone waits.

The client and the sandbox read this clock. When the client sleeps until a time, each request that the sandbox has delayed
until then is handled first, in order and to its end.
"""

from __future__ import annotations

import asyncio
import random
import threading
from dataclasses import dataclass, field
from datetime import datetime, timezone, tzinfo
from types import SimpleNamespace

from cloudzero_provider.sandbox.server.running import RunningRequests
from cloudzero_provider.sandbox.server.waits import DelayedRequests

#: A Sunday in 2026, in seconds since 1970.
START = 1_774_785_600.0


@dataclass
class HeldBack:
    """A request that the sandbox applies, or ends, at a later time."""

    number: int
    due: float
    released: asyncio.Future[bool]
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class Clock:
    """Seconds since 1970. It is advanced explicitly, on the sandbox's loop."""

    def __init__(self) -> None:
        self.now = START
        self._held: dict[int, HeldBack] = {}

    @property
    def holds_any(self) -> bool:
        return bool(self._held)

    def hold(self, number: int, until: float) -> HeldBack:
        held = HeldBack(number, until, asyncio.get_running_loop().create_future())
        self._held[number] = held
        return held

    def ended(self, number: int) -> None:
        """Record that the sandbox has finished a request, delayed or not."""
        held = self._held.pop(number, None)
        if held is not None:
            held.ended.set()

    async def advance(self, seconds: float) -> None:
        """Advance the time, and handle what becomes due."""
        until = self.now + seconds
        while due := [held for held in self._held.values() if held.due <= until and not held.released.done()]:
            first = min(due, key=lambda held: (held.due, held.number))
            self.now = max(self.now, first.due)
            first.released.set_result(True)
            await first.ended.wait()
        self.now = until

    def last_due(self) -> float:
        return max((held.due for held in self._held.values()), default=self.now)

    def drop_all(self) -> None:
        """Drop all delayed requests."""
        for held in self._held.values():
            if not held.released.done():
                held.released.set_result(False)


class VirtualPauses(DelayedRequests):
    """Delays requests by the clock."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        #: The request that the client currently waits for.
        self.flight: Flight | None = None

    async def delay(self, number: int, seconds: float) -> bool:
        flight = self.flight
        if flight is not None and flight.is_waited_for:
            if seconds < flight.patience:
                await self._clock.advance(seconds)
                return True
            began = self._clock.now
            await self._clock.advance(flight.patience)
            held = self._clock.hold(number, began + seconds)
            flight.cut()
        else:
            held = self._clock.hold(number, self._clock.now + seconds)
        self._numbers.add(number)
        try:
            return await held.released
        finally:
            self._numbers.discard(number)

    def end_all(self) -> frozenset[int]:
        self._clock.drop_all()
        return frozenset(self._numbers)


class VirtualRunning(RunningRequests):
    """Reports ended requests to the clock."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def leave(self, number: int) -> None:
        super().leave(number)
        self._clock.ended(number)


@dataclass
class Flight:
    """A request between its sending and its reply; ``is_waited_for`` while the client blocks on it."""

    is_waited_for: bool
    patience: float = 0.0

    def watch(self, progress: SimpleNamespace) -> None:
        self._progress = progress
        self.patience = progress.timeout

    def cut(self) -> None:
        self._progress.cut()


class TimerOfFlight:
    """Replaces ``threading.Timer``: it records the client's timeout, and never fires by the real clock."""

    pauses: VirtualPauses

    def __init__(self, limit: float, cut: object) -> None:
        self.daemon = True
        self._progress = cut.__self__  # type: ignore[attr-defined]

    def start(self) -> None:
        if self.pauses.flight is not None:
            self.pauses.flight.watch(self._progress)

    def cancel(self) -> None:
        """Nothing needs to be cancelled."""


def threading_for(pauses: VirtualPauses) -> SimpleNamespace:
    timer = type("Timer", (TimerOfFlight,), {"pauses": pauses})
    return SimpleNamespace(local=threading.local, Timer=timer)


def datetime_by(clock: Clock) -> type[datetime]:
    class Now(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.fromtimestamp(clock.now, tz or timezone.utc)

    return Now


class Jitter:
    """Replaces the module ``random``: always the same share of a range."""

    share = 1.0
    Random = random.Random

    def uniform(self, low: float, high: float) -> float:
        return low + (high - low) * self.share
