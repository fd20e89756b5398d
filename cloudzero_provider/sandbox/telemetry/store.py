"""
The telemetry streams and their records.

Every identity has one current row, which is hidden after a delete. Earlier rows stay until they are too old for any
read of processed records.
"""

# ruff: noqa: S608 - the only parts put into SQL are constants of the code
from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.common.exact_sums import add, without_trailing_zeros
from cloudzero_provider.sandbox.http.replies import ErrorType, bad_request
from cloudzero_provider.sandbox.settings.fields import Permission
from cloudzero_provider.sandbox.settings.telemetry import (
    DeleteMatch,
    DuplicatesInReplace,
    KeySetPerStream,
    ReplaceMatch,
)
from cloudzero_provider.sandbox.telemetry.matches import RecordMatcher
from cloudzero_provider.sandbox.telemetry.model import Granularity, Identity, StreamKind, TelemetryOperation
from cloudzero_provider.sandbox.telemetry.replies import invalid_records, unregistered_key_set

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

    from cloudzero_provider.sandbox.settings.all_settings import Settings
    from cloudzero_provider.sandbox.telemetry.keys import KeySet
    from cloudzero_provider.sandbox.telemetry.records import Batch

_ZERO = Decimal(0)
PRESENT = "stream = ? AND removed_at IS NULL"
_SAME_IDENTITY = f"{PRESENT} AND timestamp = ? AND element_name = ? AND keys = ?"


@dataclass(frozen=True)
class TelemetryStream:
    """A stream; its kind and granularity are fixed by the first request."""

    number: int
    name: str
    kind: StreamKind
    granularity: Granularity
    changes: int
    created_at: float


_STREAM = "number, name, kind, granularity, changes, created_at FROM telemetry_streams"


def _stream(number: int, name: str, kind: str, granularity: str, changes: int, created_at: float) -> TelemetryStream:
    return TelemetryStream(number, name, StreamKind(kind), Granularity(granularity), changes, created_at)


def find_stream(database: sqlite3.Connection, name: str) -> TelemetryStream | None:
    """Return the stream with a name, or None."""
    query = f"SELECT {_STREAM} WHERE name = ? AND deleted_at IS NULL"
    found = database.execute(query, (name,)).fetchone()
    return _stream(*found) if found else None


def list_streams(database: sqlite3.Connection) -> list[TelemetryStream]:
    """Return every stream, sorted by name."""
    query = f"SELECT {_STREAM} WHERE deleted_at IS NULL ORDER BY name"
    return [_stream(*found) for found in database.execute(query)]


def apply_batch(
    database: sqlite3.Connection, name: str, batch: Batch, settings: Settings, now: float
) -> TelemetryStream:
    """
    Apply a request's operation in the caller's transaction; return its stream.

    https://docs.cloudzero.com/docs/telemetry-send-via-api
    """
    stream = find_stream(database, name) or _create(database, name, batch, settings, now)
    _check_stream(stream, batch)
    _check_key_set(database, stream, batch, settings)
    if batch.operation is TelemetryOperation.DELETE:
        _hide(database, stream, batch, settings, now)
    elif batch.operation is TelemetryOperation.SUM:
        _sum(database, stream, batch, now)
    elif batch.operation is TelemetryOperation.REPLACE:
        _replace(database, stream, batch, settings, now)
    else:
        raise NotImplementedError(batch.operation)
    database.execute("UPDATE telemetry_streams SET changes = changes + 1 WHERE number = ?", (stream.number,))
    old = now - settings.processed_after_seconds
    database.execute("DELETE FROM telemetry_records WHERE removed_at <= ?", (old,))
    return stream


def _create(database: sqlite3.Connection, name: str, batch: Batch, settings: Settings, now: float) -> TelemetryStream:
    _check_name_is_free(database, name, settings, now)
    creates = batch.operation is TelemetryOperation.SUM or (
        batch.operation is TelemetryOperation.REPLACE
        and (batch.kind is StreamKind.METRIC or settings.allocation_replace_creates is Permission.ACCEPT)
    )
    if not creates:
        message = f"Telemetry stream must exist in order to {_VERBS[batch.operation]} telemetry records."
        raise bad_request(ErrorType.INVALID_STREAM, message)
    kind, granularity = batch.kind, batch.granularity
    number = database.execute(
        "INSERT INTO telemetry_streams (name, kind, granularity, changes, created_at) VALUES (?, ?, ?, 0, ?)",
        (name, kind.value, granularity.value, now),
    ).lastrowid
    return TelemetryStream(number or 0, name, kind, granularity, 0, now)


_VERBS = {TelemetryOperation.REPLACE: "update", TelemetryOperation.DELETE: "delete"}


def _check_name_is_free(database: sqlite3.Connection, name: str, settings: Settings, now: float) -> None:
    query = "SELECT max(deleted_at) FROM telemetry_streams WHERE name = ?"
    (deleted_at,) = database.execute(query, (name,)).fetchone()
    if deleted_at is not None and now < deleted_at + settings.deleted_name_seconds:
        raise bad_request(ErrorType.INVALID_STREAM, "The telemetry stream is being deleted; try again later.")


def _check_stream(stream: TelemetryStream, batch: Batch) -> None:
    if batch.kind is not stream.kind:
        message = f"The telemetry stream exists with the type {stream.kind.value}."
        raise bad_request(ErrorType.INVALID_STREAM, message)
    if batch.granularity is not stream.granularity:
        rule = f"granularity: is {batch.granularity.value}, but the stream's is {stream.granularity.value}"
        raise invalid_records([f"all records, {rule}"])


def _check_key_set(database: sqlite3.Connection, stream: TelemetryStream, batch: Batch, settings: Settings) -> None:
    """Check the key set, and register a new one. A delete may have no keys, and registers none."""
    registered = key_sets(database, stream)
    is_delete = batch.operation is TelemetryOperation.DELETE
    if batch.key_set in registered or (is_delete and not batch.key_set):
        return
    if settings.key_set_per_stream is KeySetPerStream.FIXED and registered:
        raise unregistered_key_set(registered[0], batch.key_set)
    if not is_delete:
        keys = json.dumps(batch.key_set, ensure_ascii=False)
        database.execute("INSERT INTO telemetry_key_sets (stream, key_set) VALUES (?, ?)", (stream.number, keys))


def key_sets(database: sqlite3.Connection, stream: TelemetryStream) -> list[KeySet]:
    """Return the key sets of the stream's records, oldest first."""
    query = "SELECT key_set FROM telemetry_key_sets WHERE stream = ? ORDER BY number"
    return [tuple(json.loads(text)) for (text,) in database.execute(query, (stream.number,))]


def _sum(database: sqlite3.Connection, stream: TelemetryStream, batch: Batch, now: float) -> None:
    sums = _summed(batch)
    replaced: list[int] = []
    cursor = database.cursor()
    query = f"SELECT id, value, hidden FROM telemetry_records WHERE {_SAME_IDENTITY}"
    for identity, value in sums.items():
        known = cursor.execute(query, (stream.number, *identity)).fetchone()
        if known is not None:
            number, known_value, hidden = known
            replaced.append(number)
            sums[identity] = value if hidden else add(Decimal(known_value), value)
    _remove(database, replaced, now)
    _insert(database, stream, sums, now)


def _summed(batch: Batch) -> dict[Identity, Decimal]:
    sums: dict[Identity, Decimal] = {}
    for record in batch.records:
        identity, value = record.identity, record.value or _ZERO
        known = sums.get(identity)
        sums[identity] = value if known is None else add(known, value)
    return sums


def _replace(
    database: sqlite3.Connection, stream: TelemetryStream, batch: Batch, settings: Settings, now: float
) -> None:
    sums_duplicates = settings.duplicates_in_replace is DuplicatesInReplace.SUM
    values = _summed(batch) if sums_duplicates else {record.identity: record.value or _ZERO for record in batch.records}
    database.executemany(
        f"UPDATE telemetry_records SET removed_at = ? WHERE {_SAME_IDENTITY}",
        ((now, stream.number, *identity) for identity in values),
    )
    if settings.replace_match is ReplaceMatch.PROPERTIES:
        _remove(database, RecordMatcher(database, stream.number).find(batch.records), now)
    _insert(database, stream, values, now)


def _insert(
    database: sqlite3.Connection, stream: TelemetryStream, values: Mapping[Identity, Decimal], now: float
) -> None:
    database.executemany(
        "INSERT INTO telemetry_records (stream, timestamp, element_name, keys, value, hidden, added_at)"
        " VALUES (?, ?, ?, ?, ?, 0, ?)",
        ((stream.number, *identity, without_trailing_zeros(value), now) for identity, value in values.items()),
    )


def _remove(database: sqlite3.Connection, numbers: Iterable[int], now: float) -> None:
    remove = "UPDATE telemetry_records SET removed_at = ? WHERE id = ?"
    database.executemany(remove, ((now, number) for number in numbers))


def _hide(database: sqlite3.Connection, stream: TelemetryStream, batch: Batch, settings: Settings, now: float) -> None:
    exact = settings.delete_match is DeleteMatch.EXACT
    numbers = sorted(RecordMatcher(database, stream.number, exact=exact).find(batch.records))
    _remove(database, numbers, now)
    database.executemany(
        "INSERT INTO telemetry_records (stream, timestamp, element_name, keys, value, hidden, added_at)"
        " SELECT ?, timestamp, element_name, keys, value, 1, ? FROM telemetry_records WHERE id = ?",
        ((stream.number, now, number) for number in numbers),
    )


def has_records(database: sqlite3.Connection, stream: TelemetryStream) -> bool:
    """Whether the stream has a record that is not hidden."""
    query = f"SELECT 1 FROM telemetry_records WHERE {PRESENT} AND hidden = 0 LIMIT 1"
    return database.execute(query, (stream.number,)).fetchone() is not None


def delete_stream(database: sqlite3.Connection, stream: TelemetryStream, now: float) -> None:
    """Delete the stream's data; its name stays blocked for ``deleted_name_seconds``."""
    for table in ("telemetry_records", "telemetry_key_sets", "telemetry_submissions"):
        database.execute(f"DELETE FROM {table} WHERE stream = ?", (stream.number,))
    database.execute("UPDATE telemetry_streams SET deleted_at = ? WHERE number = ?", (now, stream.number))


def forget_all(database: sqlite3.Connection) -> None:
    """Delete every stream and unblock all names."""
    for table in ("telemetry_records", "telemetry_key_sets", "telemetry_submissions", "telemetry_streams"):
        database.execute(f"DELETE FROM {table}")
