"""What CloudZero does with a request for AnyCost, and the table of all actions."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.anycost.reads import list_drops, open_month
from cloudzero_provider.sandbox.anycost.replies import accepted, drop_list, month_contents
from cloudzero_provider.sandbox.anycost.store import apply_drop
from cloudzero_provider.sandbox.common.months import Month, parse_given_month
from cloudzero_provider.sandbox.http.replies import (
    ErrorType,
    RefusedError,
    Reply,
    bad_request,
    error_reply,
    json_reply,
    message_reply,
    refusal_reply,
)
from cloudzero_provider.sandbox.server.connection_actions import CONNECTION_ACTIONS, find_connection, found_in
from cloudzero_provider.sandbox.server.endpoints import Action, Target, allowed_methods
from cloudzero_provider.sandbox.server.idempotency import keep_reply
from cloudzero_provider.sandbox.server.running import has_conflict
from cloudzero_provider.sandbox.server.telemetry_actions import TELEMETRY_ACTIONS
from cloudzero_provider.sandbox.settings.anycost import ValidateReply
from cloudzero_provider.sandbox.settings.replies import RowCountMeans

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Awaitable, Callable, Mapping

    from cloudzero_provider.sandbox.anycost.drop import Drop, DropReading
    from cloudzero_provider.sandbox.server.state import Call, Sandbox
    from cloudzero_provider.sandbox.settings.all_settings import Settings


async def act(sandbox: Sandbox, call: Call, target: Target) -> Reply:
    """Carry out the request and return CloudZero's reply, which may be a refusal."""
    try:
        if target.stream is not None:
            await _require_stream(sandbox, call)
            if is_concurrent(call):
                raise RefusedError(concurrent_reply(call.settings))
        return await _ACTIONS[target.endpoint.action](sandbox, call)
    except RefusedError as refused:
        return refused.reply


def no_such_endpoint(raw_path: str) -> Reply:
    """The reply to a path or method that CloudZero does not have."""
    methods = allowed_methods(raw_path)
    if not methods:
        return message_reply(404, "Not Found")
    return replace(message_reply(405, "Method Not Allowed"), headers=(("Allow", ", ".join(methods)),))


def is_concurrent(call: Call) -> bool:
    """Whether the request must be refused because another one is running on its stream."""
    if call.settings.concurrent_status == 200:
        return False
    return has_conflict(call.others, call.settings.concurrent_scope, writes=call.record.method == "POST")


def concurrent_reply(settings: Settings) -> Reply:
    """The reply to a concurrent request: https://docs.cloudzero.com/docs/anycost-send-stream-data"""
    message = "Another request on this stream is running."
    return refusal_reply(settings.concurrent_status, ErrorType.CONCURRENT, message)


async def _require_stream(sandbox: Sandbox, call: Call) -> None:
    connection = await find_connection(sandbox, call)
    if not connection.is_stream:
        raise bad_request(ErrorType.UNKNOWN_CONNECTION, "This connection is not an AnyCost Stream connection.")


async def _list_drops(sandbox: Sandbox, call: Call) -> Reply:
    stream = call.connection_id
    at, means = _read_at(call.settings), call.settings.row_count_means
    found = await sandbox.database.read(lambda database: list_drops(database, stream, at, means))
    return drop_list(found, call.settings)


async def _read_drop(sandbox: Sandbox, call: Call) -> Reply:
    month = _path_month(call)
    stream = call.connection_id
    at = _read_at(call.settings)
    contents = await sandbox.database.read(lambda _: open_month(sandbox.database, stream, month, at))
    if contents is None:
        raise RefusedError(error_reply(404, ErrorType.NOT_FOUND, f"There is no billing drop for {month}."))
    return month_contents(contents, call.settings)


def _path_month(call: Call) -> Month:
    try:
        return parse_given_month(call.path_month, call.settings)
    except ValueError as error:
        raise bad_request(ErrorType.INVALID_PARAMETER, f"month {error}.") from None


def _read_at(settings: Settings) -> float | None:
    return time.time() - settings.read_lag_seconds if settings.read_lag_seconds else None


async def _create_drop(sandbox: Sandbox, call: Call) -> Reply:
    """Apply the drop; the request's log entry and the kept reply are written in the same transaction."""
    drop = _good_drop(call.reading)
    stream = call.connection_id

    def transaction(database: sqlite3.Connection) -> Reply:
        now = time.time()
        found_in(database, call)
        summary = apply_drop(database, stream, drop, call.settings, now)
        if call.settings.row_count_means is RowCountMeans.REQUEST:
            summary = replace(summary, row_count=drop.row_count)
        reply = accepted(summary, call.settings)
        keep_reply(database, call.reply_key, reply, now)
        sandbox.record_applied(database, call, now)
        return reply

    return await sandbox.database.write(transaction)


def _good_drop(reading: DropReading) -> Drop:
    if reading.unreadable is not None:
        raise bad_request(ErrorType.INVALID_BODY, reading.unreadable)
    if reading.drop is None:
        raise bad_request(ErrorType.INVALID_DROP, f"The drop was refused: {'; '.join(reading.problems)}.")
    return reading.drop


async def _validate_drop(_sandbox: Sandbox, call: Call) -> Reply:
    """The dry run: https://docs.cloudzero.com/reference/validateoneanycoststreamconnectionbillingdrop"""
    reading = call.reading
    if call.settings.validate_reply is ValidateReply.BAD_REQUEST or reading.unreadable:
        _good_drop(reading)
    errors = list(reading.problems)
    return json_reply(200, {"connection": {"is_valid": not errors, "errors": errors}})


async def _not_implemented(_sandbox: Sandbox, _call: Call) -> Reply:
    message = "CloudZero has this endpoint, but the sandbox does not implement it."
    return error_reply(501, ErrorType.NOT_IMPLEMENTED, message)


_ACTIONS: Mapping[Action, Callable[[Sandbox, Call], Awaitable[Reply]]] = {
    **CONNECTION_ACTIONS,
    Action.LIST_DROPS: _list_drops,
    Action.CREATE_DROP: _create_drop,
    Action.READ_DROP: _read_drop,
    Action.VALIDATE_DROP: _validate_drop,
    Action.NOT_IMPLEMENTED: _not_implemented,
    **TELEMETRY_ACTIONS,
}
