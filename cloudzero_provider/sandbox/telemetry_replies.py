"""What telemetry answers; the shapes of its errors are those that CloudZero has been seen to send."""

from __future__ import annotations

import math
from email.utils import formatdate
from typing import TYPE_CHECKING

from .replies import ErrorType, RefusedError, Reply, bytes_reply, detailed_error, json_reply, message_reply
from .telemetry_keys import as_in_errors
from .telemetry_settings import RecordsStatus, RecordsTimestamp, RecordsWrapper, RetryAfter, TelemetrySuccessBody

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .settings import Settings
    from .telemetry import StreamStatus
    from .telemetry_keys import KeySet

_ACCEPTED = "Telemetry accepted"


def invalid_records(problems: Iterable[str]) -> RefusedError:
    """Records that break rules."""
    errors = [{"error_message": problem} for problem in problems]
    return detailed_error(ErrorType.INVALID_RECORDS, "multiple errors", {"errors": errors})


def invalid_keys(keys: Iterable[str]) -> RefusedError:
    """Filter keys that are no dimensions."""
    details = [f"The dimension '{key}' is not valid." for key in keys]
    message = "Could not resolve target keys to valid dimension."
    return detailed_error(ErrorType.INVALID_KEYS, message, {"details": details})


def unregistered_key_set(registered: KeySet, given: KeySet) -> RefusedError:
    """Filter keys other than those the stream was created with."""
    details = {"registered_keys": as_in_errors(registered), "record_key_set": as_in_errors(given)}
    message = "The key set of the records is not registered for this stream."
    return detailed_error(ErrorType.UNREGISTERED_KEY_SET, message, {"event_details": details})


def accepted(settings: Settings, documented_status: int) -> Reply:
    """The reply to records that were taken. Nothing is documented about its body."""
    chosen = settings.telemetry_success_status.value
    status = int(chosen) if chosen.isdigit() else documented_status
    if status == 204 or settings.telemetry_success_body is TelemetrySuccessBody.EMPTY:
        return bytes_reply(status, b"")
    if settings.telemetry_success_body is TelemetrySuccessBody.TEXT:
        return bytes_reply(status, _ACCEPTED.encode(), "text/plain")
    return json_reply(status, {"message": _ACCEPTED})


def records_reply(lines: Sequence[str], status: StreamStatus | None, settings: Settings) -> Reply:
    """Records, each given as JSON that begins with its timestamp, and their stream's status where there is a stream."""
    if settings.records_timestamp is RecordsTimestamp.OFFSET:
        lines = [line.replace('Z"', '+00:00"', 1) for line in lines]
    listed = f"[{','.join(lines)}]"
    wrapper = settings.records_wrapper
    text = listed if wrapper is RecordsWrapper.LIST else f'{{{_status(status, settings)}"{wrapper.value}":{listed}}}'
    return bytes_reply(200, text.encode())


def _status(status: StreamStatus | None, settings: Settings) -> str:
    if status is None or settings.records_status is RecordsStatus.NONE:
        return ""
    in_lower_case = settings.records_status is RecordsStatus.LOWER_CASE
    return f'"status":"{status.value.lower() if in_lower_case else status.value}",'


def throttled(settings: Settings, seconds: float, now: float) -> Reply:
    """The reply to records that came too fast."""
    status = settings.telemetry_throttle_status
    reply = message_reply(status, "Too Many Requests" if status == 429 else "Slow Down")
    if settings.telemetry_retry_after is RetryAfter.NONE:
        return reply
    whole = max(1, math.ceil(seconds))
    in_seconds = settings.telemetry_retry_after is RetryAfter.SECONDS
    # A date has no fractions: the next whole second after the wait is the first that is late enough.
    told = str(whole) if in_seconds else formatdate(math.ceil(now + seconds), usegmt=True)
    return Reply(reply.status, reply.length, reply.pieces, reply.content_type, (("Retry-After", told),))
