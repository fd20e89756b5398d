"""
Rate limits on records and requests.

Telemetry: "100 records per second, with a burst of one day's worth"; whether per key, organization or stream is not
published. AnyCost: no limit is documented.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.http.replies import RefusedError, Reply, message_reply
from cloudzero_provider.sandbox.settings.access import RateScope, RetryAfter

if TYPE_CHECKING:
    from collections.abc import Hashable

    from cloudzero_provider.sandbox.server.endpoints import Target
    from cloudzero_provider.sandbox.server.keys import ApiKey
    from cloudzero_provider.sandbox.settings.all_settings import Settings


@dataclass(frozen=True)
class Rate:
    """A limit per second (0 for none) with a burst, and the reply to requests beyond it."""

    per_second: float
    burst: int
    status: int
    retry_after: RetryAfter


@dataclass
class _Bucket:
    spent: float = 0.0
    at: float = 0.0


class Throttle:
    """Token buckets, one per scope. They are kept in memory and start full."""

    def __init__(self) -> None:
        self._buckets: dict[Hashable, _Bucket] = {}

    def take(self, count: int, rate: Rate, scope: Hashable, now: float) -> None:
        """Take ``count`` tokens, or take none and refuse the request if too few are left."""
        if not rate.per_second:
            return
        bucket = self._buckets.setdefault(scope, _Bucket())
        bucket.spent = max(0.0, bucket.spent - max(0.0, now - bucket.at) * rate.per_second)
        bucket.at = now
        # A request larger than the burst would never fit, so a full bucket is enough and the rest becomes debt.
        missing = bucket.spent + min(count, rate.burst) - rate.burst
        if missing > 0:
            raise RefusedError(_throttled(rate, missing / rate.per_second, now))
        bucket.spent += count

    def reset(self) -> None:
        self._buckets.clear()


def rate_scope(settings: Settings, key: ApiKey, target: Target) -> Hashable:
    """Return the key of the bucket that counts a request."""
    if settings.rate_scope is RateScope.KEY:
        return key
    return target.concurrency_key if settings.rate_scope is RateScope.STREAM else None


def _throttled(rate: Rate, seconds: float, now: float) -> Reply:
    reply = message_reply(rate.status, "Too Many Requests" if rate.status == 429 else "Slow Down")
    if rate.retry_after is RetryAfter.NONE:
        return reply
    whole = max(1, math.ceil(seconds))
    # An HTTP date has whole seconds, so the wait is rounded up.
    retry_after = (
        str(whole) if rate.retry_after is RetryAfter.SECONDS else formatdate(math.ceil(now + seconds), usegmt=True)
    )
    return Reply(reply.status, reply.length, reply.pieces, reply.content_type, (("Retry-After", retry_after),))
