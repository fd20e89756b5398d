"""What CloudZero has not published about who may send, and how often, as settings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cloudzero_provider.sandbox.settings.fields import Permission, at_least, one_of


class RetryAfter(Enum):
    """How a throttled request is told when to come back."""

    SECONDS = "seconds"
    HTTP_DATE = "http_date"
    NONE = "none"


class RateScope(Enum):
    """What a limit on the rate is over."""

    ORGANIZATION = "organization"
    KEY = "key"
    STREAM = "stream"


class TestKey(Enum):
    """What becomes of a request for CloudZero's test namespace."""

    REFUSE = "refuse"
    IGNORE = "ignore"


@dataclass(frozen=True)
class AccessSettings:
    """
    The settings of keys and rates.

    Keys: https://docs.cloudzero.com/reference/authorization
    Test namespace: https://docs.cloudzero.com/reference/testing

    ``denied_status``: for a key that is not known or lacks a scope; 403 is documented, 401 is what others answer.
    ``bearer``: whether ``Authorization: Bearer <key>`` is read as well; documented is the bare key.
    ``test_key``: a request with ``cloudzero-test-key``. The sandbox has no such namespace: it refuses the request, or
    takes it as if the header were not there, as an endpoint may that does not know it.
    ``anycost_rate``: requests per second on AnyCost's paths, 0 for no limit (none is documented), with an
    ``anycost_burst``. Beyond it: ``anycost_throttle_status``, with a ``Retry-After`` as ``anycost_retry_after`` says.
    ``rate_scope``: what this limit, and the one of telemetry, are over.
    ``client_timeout_seconds``: how long a request's body may take to arrive, and each piece of a reply to be taken; 0
    waits for ever. Beyond it a body is answered with 408, and a reply is cut off.
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
