"""What CloudZero does with a telemetry request."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.common.json_text import NotJsonError, parse_json
from cloudzero_provider.sandbox.common.parameters import InvalidParameterError, parse_limit
from cloudzero_provider.sandbox.http.replies import (
    ErrorType,
    RefusedError,
    Reply,
    bad_request,
    json_reply,
    refusal_reply,
)
from cloudzero_provider.sandbox.server.endpoints import Action, TelemetryTarget
from cloudzero_provider.sandbox.server.throttle import Rate
from cloudzero_provider.sandbox.settings.records import ForceParameter, StreamNameCase
from cloudzero_provider.sandbox.settings.telemetry import BatchAtomicity, DeleteStreamWithData, UnknownStreamRead
from cloudzero_provider.sandbox.telemetry.model import TelemetryOperation, is_stream_name
from cloudzero_provider.sandbox.telemetry.reads import (
    keep_submission,
    processed,
    status,
    submitted,
)
from cloudzero_provider.sandbox.telemetry.replies import accepted, invalid_keys, invalid_records, records_reply
from cloudzero_provider.sandbox.telemetry.store import apply_batch, delete_stream, find_stream, has_records

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Awaitable, Callable, Mapping

    from cloudzero_provider.sandbox.server.state import Call, Sandbox
    from cloudzero_provider.sandbox.settings.all_settings import Settings
    from cloudzero_provider.sandbox.telemetry.records import Batch
    from cloudzero_provider.sandbox.telemetry.store import TelemetryStream

    Read = Callable[[sqlite3.Connection, TelemetryStream, Settings, int, float], list[str]]


def _target(call: Call) -> TelemetryTarget:
    target = call.target.telemetry if call.target else None
    if target is None or not is_stream_name(target.name):
        message = "A stream's name must have 1 to 256 characters: letters, digits, _ . and -."
        raise bad_request(ErrorType.INVALID_STREAM, message)
    if call.settings.stream_name_case is StreamNameCase.FOLDED:
        return replace(target, name=target.name.lower())
    return target


async def _send_records(sandbox: Sandbox, call: Call) -> Reply:
    """Apply the records; the request's log entry is written in the same transaction."""
    target, reading, settings = _target(call), call.telemetry, call.settings
    now = time.time()
    status, retry_after = settings.telemetry_throttle_status, settings.telemetry_retry_after
    rate = Rate(settings.telemetry_rate, settings.telemetry_burst, status, retry_after)
    sandbox.throttle.take(reading.record_count or 0, rate, call.rate_scope, now)
    if reading.unreadable is not None:
        raise bad_request(ErrorType.INVALID_BODY, reading.unreadable)
    if reading.problems and settings.batch_atomicity is BatchAtomicity.ALL_OR_NOTHING:
        raise invalid_records(reading.problems)
    if reading.batch is not None:
        await _apply(sandbox, call, target.name, reading.batch)
    if reading.problems:
        raise invalid_records(reading.problems)
    return accepted(settings, 201 if target.operation is TelemetryOperation.DELETE else 200)


async def _apply(sandbox: Sandbox, call: Call, name: str, batch: Batch) -> None:
    settings = call.settings
    unknown = {key.strip() for key in settings.unknown_dimensions.split(",")} & set(batch.key_set)
    if unknown:
        raise invalid_keys(sorted(unknown))

    def transaction(database: sqlite3.Connection) -> None:
        now = time.time()
        stream = apply_batch(database, name, batch, settings, now)
        keep_submission(database, stream, batch, settings, now)
        sandbox.record_applied(database, call, now)

    await sandbox.database.write(transaction)


async def _read_submitted(sandbox: Sandbox, call: Call) -> Reply:
    return await _read(sandbox, call, submitted)


async def _read_processed(sandbox: Sandbox, call: Call) -> Reply:
    return await _read(sandbox, call, processed)


async def _read(sandbox: Sandbox, call: Call, read: Read) -> Reply:
    name, settings = _target(call).name, call.settings
    try:
        limit = parse_limit(call.request.query)
    except InvalidParameterError as error:
        raise bad_request(ErrorType.INVALID_PARAMETER, f"{error}.") from None

    def reply(database: sqlite3.Connection) -> Reply | None:
        stream, now = find_stream(database, name), time.time()
        if stream is None:
            return None
        return records_reply(read(database, stream, settings, limit, now), status(stream, settings, now), settings)

    found = await sandbox.database.read(reply)
    if found is None and settings.unknown_stream_read is not UnknownStreamRead.EMPTY:
        raise RefusedError(_unknown_stream(int(settings.unknown_stream_read.value)))
    return found or records_reply([], None, settings)


def _unknown_stream(status: int) -> Reply:
    return refusal_reply(status, ErrorType.INVALID_STREAM, "There is no telemetry stream with this name.")


async def _delete_stream(sandbox: Sandbox, call: Call) -> Reply:
    """https://docs.cloudzero.com/reference/deletetelemetrystream"""
    name, force, settings = _target(call).name, _force(call), call.settings
    marked = json_reply(200, {"message": "Telemetry stream was marked for deletion"})

    def transaction(database: sqlite3.Connection) -> Reply:
        now = time.time()
        stream = find_stream(database, name)
        if stream is None:
            status = settings.unknown_stream_delete_status
            return marked if status == 200 else _unknown_stream(status)
        needs_force = settings.delete_stream_with_data is DeleteStreamWithData.NEEDS_FORCE
        if needs_force and not force and has_records(database, stream):
            message = "The telemetry stream has data; deleting it requires force."
            raise bad_request(ErrorType.INVALID_STREAM, message)
        delete_stream(database, stream, now)
        sandbox.record_applied(database, call, now)
        return marked

    return await sandbox.database.write(transaction)


def _force(call: Call) -> bool:
    """Read the boolean that deletes a stream with data; neither its place nor its name is published."""
    place, body = call.settings.force_parameter, call.body
    if place is ForceParameter.BODY:
        return _force_in(body, call.settings)
    if body:
        raise bad_request(ErrorType.INVALID_BODY, "Invalid Schema: no body is expected.")
    return place is ForceParameter.QUERY and call.request.query.get("force") == "true"


def _force_in(body: bytes, settings: Settings) -> bool:
    if not body:
        return False
    try:
        parsed = parse_json(body, settings.duplicate_json_keys)
    except NotJsonError as error:
        raise bad_request(ErrorType.INVALID_BODY, f"Invalid JSON: {error}.") from None
    force = parsed.get("force", False) if isinstance(parsed, dict) else None
    if not isinstance(parsed, dict) or set(parsed) - {"force"} or not isinstance(force, bool):
        raise bad_request(ErrorType.INVALID_BODY, "Invalid Schema: the body may only have a boolean force.")
    return force


TELEMETRY_ACTIONS: Mapping[Action, Callable[[Sandbox, Call], Awaitable[Reply]]] = {
    Action.SEND_RECORDS: _send_records,
    Action.READ_SUBMITTED: _read_submitted,
    Action.READ_PROCESSED: _read_processed,
    Action.DELETE_STREAM: _delete_stream,
}
