"""Reading back the telemetry records that were submitted or processed last."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.common.exact_sums import without_trailing_zeros
from cloudzero_provider.sandbox.common.json_text import quoted
from cloudzero_provider.sandbox.common.parameters import MAX_LIMIT
from cloudzero_provider.sandbox.telemetry.keys import KEYS_FIELD
from cloudzero_provider.sandbox.telemetry.model import Identity, StreamKind, StreamStatus, TelemetryOperation

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from cloudzero_provider.sandbox.settings.all_settings import Settings
    from cloudzero_provider.sandbox.telemetry.records import Batch
    from cloudzero_provider.sandbox.telemetry.store import TelemetryStream


def keep_submission(
    database: sqlite3.Connection, stream: TelemetryStream, batch: Batch, settings: Settings, now: float
) -> None:
    """Store the last records of a request as submitted, up to the limit of one read."""
    if batch.operation is TelemetryOperation.DELETE:
        return
    shown = batch.records[-MAX_LIMIT:]
    lines = [
        _line(stream, record.identity, without_trailing_zeros(record.value), record.accepted)
        for record in reversed(shown)
        if record.value is not None
    ]
    database.execute(
        "INSERT INTO telemetry_submissions (stream, submitted_at, record_count, records) VALUES (?, ?, ?, ?)",
        (stream.number, now, len(lines), "\n".join(lines).encode()),
    )
    _forget_old_submissions(database, stream, now - settings.submitted_after_seconds)


def _forget_old_submissions(database: sqlite3.Connection, stream: TelemetryStream, at: float) -> None:
    query = "SELECT id, record_count FROM telemetry_submissions WHERE stream = ? AND submitted_at <= ? ORDER BY id DESC"
    count = 0
    for number, records in database.execute(query, (stream.number, at)):
        count += records
        if count >= MAX_LIMIT:
            forget = "DELETE FROM telemetry_submissions WHERE stream = ? AND id < ?"
            database.execute(forget, (stream.number, number))
            return


def submitted(
    database: sqlite3.Connection, stream: TelemetryStream, settings: Settings, limit: int, now: float
) -> list[str]:
    """Return the records submitted last, newest first, as JSON."""
    query = "SELECT records FROM telemetry_submissions WHERE stream = ? AND submitted_at <= ? ORDER BY id DESC LIMIT ?"
    lines: list[str] = []
    for (records,) in database.execute(query, (stream.number, now - settings.submitted_after_seconds, limit)):
        lines += records.decode().split("\n")
        if len(lines) >= limit:
            break
    return lines[:limit]


def processed(
    database: sqlite3.Connection, stream: TelemetryStream, settings: Settings, limit: int, now: float
) -> list[str]:
    """Return the records processed last, newest first, as they were ``processed_after_seconds`` ago."""
    at = now - settings.processed_after_seconds
    found = database.execute(
        "SELECT timestamp, element_name, keys, value FROM telemetry_records"
        " WHERE stream = ? AND hidden = 0 AND added_at <= ? AND (removed_at IS NULL OR removed_at > ?)"
        " ORDER BY id DESC LIMIT ?",
        (stream.number, at, at, limit),
    )
    return [_line(stream, Identity(timestamp, element, keys), value, {}) for timestamp, element, keys, value in found]


def status(stream: TelemetryStream, settings: Settings, now: float) -> StreamStatus:
    """
    Return a stream's status, from the times after which its first records appear and from ``invalid_streams``.

    https://docs.cloudzero.com/docs/manage-streams
    """
    if stream.name in {name.strip() for name in settings.invalid_streams.split(",")}:
        return StreamStatus.INVALID
    age = now - stream.created_at
    if age >= max(settings.submitted_after_seconds, settings.processed_after_seconds):
        return StreamStatus.AVAILABLE
    return StreamStatus.LOADING if age >= settings.submitted_after_seconds else StreamStatus.PENDING


def _line(stream: TelemetryStream, identity: Identity, value: str, more: Mapping[str, object]) -> str:
    of_allocation = stream.kind is StreamKind.ALLOCATION
    element = f'"element_name":{quoted(identity.element_name)},' if of_allocation else ""
    extra = "".join(f",{json.dumps(name)}:{json.dumps(found, default=str)}" for name, found in more.items())
    return (
        f'{{"timestamp":"{identity.timestamp}","granularity":"{stream.granularity.value}",{element}'
        f'"{KEYS_FIELD[stream.kind]}":{identity.keys},"value":{value}{extra}}}'
    )
