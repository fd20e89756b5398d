"""Settings for API keys, rate limits and timeouts, where CloudZero's behavior is not published."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cloudzero_provider.sandbox.settings.fields import Permission, at_least, one_of


class RetryAfter(Enum):
    """The form of ``Retry-After`` in the reply to a throttled request."""

    SECONDS = "seconds"
    HTTP_DATE = "http_date"
    NONE = "none"


class RateScope(Enum):
    """What a rate limit applies to."""

    ORGANIZATION = "organization"
    KEY = "key"
    STREAM = "stream"


class TestKey(Enum):
    """What happens to a request for CloudZero's test namespace."""

    REFUSE = "refuse"
    IGNORE = "ignore"


@dataclass(frozen=True)
class AccessSettings:
    """
    Settings for API keys, rate limits and timeouts.

    Keys: https://docs.cloudzero.com/reference/authorization
    Test namespace: https://docs.cloudzero.com/reference/testing

    ``denied_status``: for a key that is unknown or lacks a scope; 403 is documented, 401 is common elsewhere.
    ``bearer``: whether ``Authorization: Bearer <key>`` is also accepted; the bare key is documented.
    ``test_key``: a request with ``cloudzero-test-key``. The sandbox has no test namespace: it refuses the request, or
    ignores the header, as an endpoint may that does not know it.
    ``anycost_rate``: requests per second on AnyCost's paths, 0 for no limit (none is documented), with an
    ``anycost_burst``. Beyond it, the reply is ``anycost_throttle_status`` with ``Retry-After`` as in
    ``anycost_retry_after``.
    ``rate_scope``: what this limit and the one for telemetry apply to.
    ``client_timeout_seconds``: time limit for a request's body to arrive, and for the client to read each piece of a
    reply; 0 for no limit. A late body gets a 408; an unread reply is cut off.
    """

    denied_status: int = one_of(403, 401)
    bearer: Permission = Permission.REFUSE
    test_key: TestKey = TestKey.REFUSE
    anycost_rate: float = at_least(0, 0.0)
    anycost_burst: int = at_least(1, 1)
    anycost_throttle_status: int = one_of(429, 503)
    anycost_retry_after: RetryAfter = RetryAfter.SECONDS
    rate_scope: RateScope = RateScope.ORGANIZATION
    client_timeout_seconds: float = at_least(0, 60.0)
