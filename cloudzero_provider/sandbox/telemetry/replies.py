"""Telemetry's replies; the shapes of its errors were seen in replies from CloudZero."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.http.replies import ErrorType, RefusedError, Reply, bytes_reply, detailed_error
from cloudzero_provider.sandbox.settings.records import RecordsFieldNames, RecordsValue
from cloudzero_provider.sandbox.settings.telemetry import (
    RecordsStatus,
    RecordsTimestamp,
    RecordsWrapper,
    TelemetrySuccessBody,
)
from cloudzero_provider.sandbox.telemetry.keys import names_in_errors

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloudzero_provider.sandbox.settings.all_settings import Settings
    from cloudzero_provider.sandbox.telemetry.keys import KeySet
    from cloudzero_provider.sandbox.telemetry.model import StreamStatus

_BODIES: dict[TelemetrySuccessBody, tuple[bytes, str]] = {
    TelemetrySuccessBody.EMPTY: (b"", "application/json"),
    TelemetrySuccessBody.TEXT: (b"Telemetry accepted", "text/plain"),
    TelemetrySuccessBody.HTML: (b"<!DOCTYPE html><html><body>Telemetry accepted</body></html>", "text/html"),
    TelemetrySuccessBody.JSON: (b'{"message": "Telemetry accepted"}', "application/json"),
    TelemetrySuccessBody.JSON_LIST: (b'["Telemetry accepted"]', "application/json"),
    TelemetrySuccessBody.JSON_TEXT: (b'"Telemetry accepted"', "application/json"),
    TelemetrySuccessBody.JSON_NULL: (b"null", "application/json"),
}
# Records are JSON with the timestamp first and quotes in strings escaped.
_TIME = re.compile(r'"timestamp":"([^"]*)T([^"]*)Z"')
_MIDNIGHT = "00:00:00"
_FIELD = re.compile(r'"(element_name|associated_cost)":')
_VALUE = re.compile(r'"value":([^,}]+)')


def invalid_records(problems: Iterable[str]) -> RefusedError:
    """The refusal of invalid records."""
    errors = [{"error_message": problem} for problem in problems]
    return detailed_error(ErrorType.INVALID_RECORDS, "multiple errors", {"errors": errors})


def invalid_keys(keys: Iterable[str]) -> RefusedError:
    """The refusal of filter keys that are not dimensions."""
    details = [f"The dimension '{key}' is not valid." for key in keys]
    message = "Could not resolve target keys to valid dimension."
    return detailed_error(ErrorType.INVALID_KEYS, message, {"details": details})


def unregistered_key_set(registered: KeySet, given: KeySet) -> RefusedError:
    """The refusal of filter keys other than those the stream was created with."""
    details = {"registered_keys": names_in_errors(registered), "record_key_set": names_in_errors(given)}
    message = "The key set of the records is not registered for this stream."
    return detailed_error(ErrorType.UNREGISTERED_KEY_SET, message, {"event_details": details})


def accepted(settings: Settings, documented_status: int) -> Reply:
    """The reply to accepted records. Its body is not documented."""
    chosen = settings.telemetry_success_status.value
    status = int(chosen) if chosen.isdigit() else documented_status
    return bytes_reply(status, *(_BODIES[settings.telemetry_success_body] if status != 204 else (b"",)))


def records_reply(lines: Sequence[str], status: StreamStatus | None, settings: Settings) -> Reply:
    """The reply with records, each as JSON that begins with its timestamp, and the stream's status if it exists."""
    listed = f"[{','.join(_formatted(line, settings) for line in lines)}]"
    wrapper = settings.records_wrapper
    if wrapper is RecordsWrapper.LIST:
        return bytes_reply(200, listed.encode())
    if wrapper is RecordsWrapper.NESTED:
        return bytes_reply(200, f'{{{_status(status, settings)}"result":{{"records":{listed}}}}}'.encode())
    return bytes_reply(200, f'{{{_status(status, settings)}"{wrapper.value}":{listed}}}'.encode())


def _formatted(line: str, settings: Settings) -> str:
    spelling = settings.records_timestamp
    line = _TIME.sub(lambda match: f'"timestamp":"{_formatted_time(match[1], match[2], spelling)}"', line, count=1)
    if settings.records_value is RecordsValue.STRING:
        line = _VALUE.sub(r'"value":"\1"', line)
    if settings.records_field_names is RecordsFieldNames.HYPHEN:
        # The field precedes its keys, one of which may have the same name.
        line = _FIELD.sub(lambda match: f'"{match[1].replace("_", "-")}":', line, count=1)
    return line


def _formatted_time(date: str, time: str, spelling: RecordsTimestamp) -> str:
    if spelling is RecordsTimestamp.DATE and time == _MIDNIGHT:
        return date
    if spelling is RecordsTimestamp.BLANK:
        return f"{date} {time}+00:00"
    ends = {RecordsTimestamp.OFFSET: "+00:00", RecordsTimestamp.NAIVE: ""}
    return f"{date}T{time}{ends.get(spelling, 'Z')}"


def _status(status: StreamStatus | None, settings: Settings) -> str:
    if status is None or settings.records_status is RecordsStatus.NONE:
        return ""
    in_lower_case = settings.records_status is RecordsStatus.LOWER_CASE
    return f'"status":"{status.value.lower() if in_lower_case else status.value}",'
