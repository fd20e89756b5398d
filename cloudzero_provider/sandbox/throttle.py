"""
How fast records may come.

"100 records per second, with a burst of one day's worth"; over which of key, organization or stream is not said,
and here it is over everything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .settings import Settings


class Throttle:
    """A bucket of records that fills with time. It is kept in memory only and starts full."""

    def __init__(self) -> None:
        self._spent = 0.0
        self._at = 0.0

    def take(self, records: int, settings: Settings, now: float) -> float:
        """Take the records out and give 0, or leave them in and give the seconds until they can be had."""
        rate, burst = settings.telemetry_rate, settings.telemetry_burst
        if not rate:
            return 0.0
        self._spent = max(0.0, self._spent - (now - self._at) * rate)
        self._at = now
        # A request larger than the burst would never fit, so it gets a full bucket and leaves a debt.
        missing = self._spent + min(records, burst) - burst
        if missing > 0:
            return missing / rate
        self._spent += records
        return 0.0

    def reset(self) -> None:
        self._spent = 0.0
