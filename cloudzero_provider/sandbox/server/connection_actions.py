"""What CloudZero does with a request for connections (https://docs.cloudzero.com/reference/getbillingconnections)."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.anycost.connection_bodies import ConnectionChange, parse_change, parse_new
from cloudzero_provider.sandbox.anycost.connections import (
    Connection,
    InvalidConnectionError,
    create,
    find,
    list_all,
    remove,
    save,
)
from cloudzero_provider.sandbox.anycost.paging import page_json, parse_page
from cloudzero_provider.sandbox.anycost.store import forget_stream
from cloudzero_provider.sandbox.buckets.store import forget_connection
from cloudzero_provider.sandbox.common.json_text import NotJsonError, parse_json
from cloudzero_provider.sandbox.common.parameters import InvalidParameterError
from cloudzero_provider.sandbox.http.replies import (
    ErrorType,
    RefusedError,
    Reply,
    bad_request,
    json_reply,
    refusal_reply,
)
from cloudzero_provider.sandbox.server.endpoints import Action
from cloudzero_provider.sandbox.server.idempotency import keep_reply

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Awaitable, Callable, Mapping
    from typing import TypeVar

    from cloudzero_provider.sandbox.server.state import Call, Sandbox
    from cloudzero_provider.sandbox.settings.all_settings import Settings

    Body = TypeVar("Body")


async def find_connection(sandbox: Sandbox, call: Call) -> Connection:
    """Return the connection in the path; refuse the request if it does not exist."""
    return await sandbox.database.read(lambda database: found_in(database, call))


def found_in(database: sqlite3.Connection, call: Call) -> Connection:
    """``find_connection`` within a transaction."""
    found = find(database, call.connection_id)
    if found is None:
        raise RefusedError(_unknown_connection(call.settings))
    return found


def _unknown_connection(settings: Settings) -> Reply:
    message = "There is no connection with this id."
    return refusal_reply(settings.unknown_connection_status, ErrorType.UNKNOWN_CONNECTION, message)


async def _list_connections(sandbox: Sandbox, call: Call) -> Reply:
    try:
        page = parse_page(call.request.query)
    except InvalidParameterError as error:
        raise bad_request(ErrorType.INVALID_PARAMETER, f"{error}.") from None
    return json_reply(200, page_json(await sandbox.database.read(list_all), page))


async def _read_connection(sandbox: Sandbox, call: Call) -> Reply:
    return json_reply(200, {"connection": (await find_connection(sandbox, call)).as_json()})


async def _create_connection(sandbox: Sandbox, call: Call) -> Reply:
    new = _parsed(call, parse_new)
    return await _write(sandbox, call, lambda database: create(database, new))


async def _update_connection(sandbox: Sandbox, call: Call) -> Reply:
    """
    Change an AnyCost Bucket connection, the only type that can be modified.

    https://docs.cloudzero.com/reference/updateonebillingconnection
    """
    if (await find_connection(sandbox, call)).is_stream:
        raise bad_request(ErrorType.INVALID_CONNECTION, "Only AnyCost Bucket connections can be updated.")
    change = _parsed(call, parse_change)

    def update(database: sqlite3.Connection) -> Connection:
        updated = _updated(found_in(database, call), change)
        save(database, updated)
        return updated

    return await _write(sandbox, call, update)


def _updated(connection: Connection, change: ConnectionChange) -> Connection:
    rate, enabled = change.expected_ingest_rate, change.is_enabled
    return replace(
        connection,
        name=connection.name if change.name is None else change.name,
        expected_ingest_rate=connection.expected_ingest_rate if rate is None else rate,
        is_enabled=connection.is_enabled if enabled is None else enabled,
        bucket=change.bucket_of(connection),
        last_updated=time.time(),
    )


async def _delete_connection(sandbox: Sandbox, call: Call) -> Reply:
    """
    Delete a connection and "all billing data related to that connection", which CloudZero does after an ingest.

    "Not supported for AWS and Snowflake connections", which the sandbox does not have.
    https://docs.cloudzero.com/reference/deleteonebillingconnection
    """

    def delete(database: sqlite3.Connection) -> Connection:
        deleted = found_in(database, call)
        remove(database, deleted.id)
        forget_stream(database, deleted.id)
        forget_connection(database, deleted.id)
        return deleted

    return await _write(sandbox, call, delete)


def _parsed(call: Call, parse: Callable[[object, Settings], Body]) -> Body:
    settings = call.settings
    try:
        return parse(parse_json(call.body, settings.duplicate_json_keys), settings)
    except NotJsonError as error:
        raise bad_request(ErrorType.INVALID_BODY, f"The body is not JSON: {error}.") from None
    except InvalidConnectionError as error:
        raise bad_request(ErrorType.INVALID_CONNECTION, f"The connection was refused: {error}.") from None


async def _write(sandbox: Sandbox, call: Call, work: Callable[[sqlite3.Connection], Connection]) -> Reply:
    """Do the work; the request's log entry and the kept reply are written in the same transaction."""

    def transaction(database: sqlite3.Connection) -> Reply:
        now = time.time()
        reply = json_reply(200, {"connection": work(database).as_json()})
        keep_reply(database, call.reply_key, reply, now)
        sandbox.record_applied(database, call, now)
        return reply

    return await sandbox.database.write(transaction)


CONNECTION_ACTIONS: Mapping[Action, Callable[[Sandbox, Call], Awaitable[Reply]]] = {
    Action.LIST_CONNECTIONS: _list_connections,
    Action.CREATE_CONNECTION: _create_connection,
    Action.READ_CONNECTION: _read_connection,
    Action.UPDATE_CONNECTION: _update_connection,
    Action.DELETE_CONNECTION: _delete_connection,
}
