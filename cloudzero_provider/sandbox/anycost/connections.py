"""
Billing connections and their table in the database.

https://docs.cloudzero.com/reference/createbillingconnection
"""

from __future__ import annotations

import json
import re
import time
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

DEFAULT_ID = "1234abcd-1234-abcd-1234-abcd1234efgh"
DEFAULT_NAME = "sandbox-stream"
# No spaces, periods or other special characters: https://docs.cloudzero.com/docs/anycost-stream-getting-started
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_ID = re.compile(r"[A-Za-z0-9_-]+")
HOURS_BETWEEN_INGESTS = 24.0


class InvalidConnectionError(ValueError):
    """Invalid values for a connection; the message gives the reason."""


@dataclass(frozen=True)
class NewConnection:
    """The values of a new connection."""

    name: str
    cloud_provider: str
    expected_ingest_rate: float
    is_enabled: bool
    bucket: Mapping[str, str] | None


@dataclass(frozen=True)
class Connection:
    """A billing connection."""

    id: str
    name: str
    cloud_provider: str
    bucket: Mapping[str, str] | None
    expected_ingest_rate: float
    is_enabled: bool
    created: float
    last_updated: float

    @property
    def is_stream(self) -> bool:
        """Whether it accepts drops: an AnyCost connection without a bucket is a stream."""
        return self.bucket is None

    def as_json(self) -> dict[str, object]:
        return {
            "id": self.id,
            "connection_id": self.id,
            "name": self.name,
            "connection_type": "anycost_stream" if self.is_stream else "anycost_bucket",
            "cloud_provider": self.cloud_provider,
            "s3_bucket_info": self.bucket,
            "expected_ingest_rate": self.expected_ingest_rate,
            "is_enabled": self.is_enabled,
            "capabilities": {},
            "is_draft": False,
            "created": f"{self.created:.3f}",
            "last_updated": f"{self.last_updated:.3f}",
        }


def parse_connection_option(text: str) -> tuple[str, str]:
    """Parse ``ID`` or ``ID=NAME`` from ``--connection``."""
    connection_id, equals, name = text.partition("=")
    if not _ID.fullmatch(connection_id):
        raise InvalidConnectionError(f"a connection id may contain only letters, digits, - and _: {connection_id!r}")
    if equals and not _NAME.fullmatch(name):
        raise InvalidConnectionError(f"a connection's name may contain only letters, digits, - and _: {name!r}")
    return connection_id, name or connection_id


def is_name(text: str) -> bool:
    """Whether a connection can have this name."""
    return bool(_NAME.fullmatch(text))


def create(database: sqlite3.Connection, new: NewConnection) -> Connection:
    """Create a connection with a new id."""
    return _insert(database, str(uuid.uuid4()), new)


def ensure_streams(database: sqlite3.Connection, named: list[tuple[str, str]]) -> None:
    """Create or rename the streams in ``named``, or create the default stream if there are no connections."""
    known = {connection.id for connection in list_all(database)}
    if not named and not known:
        named = [(DEFAULT_ID, DEFAULT_NAME)]
    for connection_id, name in named:
        if connection_id in known:
            database.execute("UPDATE connections SET name = ? WHERE id = ?", (name, connection_id))
        else:
            _insert(database, connection_id, NewConnection(name, "AnyCost", HOURS_BETWEEN_INGESTS, True, None))


def ensure_bucket(database: sqlite3.Connection, connection_id: str, bucket: Mapping[str, str]) -> None:
    """Create a bucket connection with this id as its name, or change where its bucket is."""
    found = find(database, connection_id)
    if found is None:
        _insert(database, connection_id, NewConnection(connection_id, "AnyCost", HOURS_BETWEEN_INGESTS, True, bucket))
    elif found.is_stream:
        raise InvalidConnectionError(f"{connection_id} is an AnyCost Stream connection; give the bucket another name")
    elif found.bucket != bucket:
        save(database, replace(found, bucket=bucket, last_updated=time.time()))


def _insert(database: sqlite3.Connection, connection_id: str, new: NewConnection) -> Connection:
    now = time.time()
    bucket = None if new.bucket is None else json.dumps(dict(new.bucket))
    database.execute(
        "INSERT INTO connections"
        " (id, name, cloud_provider, bucket, expected_ingest_rate, is_enabled, created, last_updated)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            connection_id,
            new.name,
            new.cloud_provider,
            bucket,
            new.expected_ingest_rate,
            new.is_enabled,
            now,
            now,
        ),
    )
    return Connection(
        connection_id,
        new.name,
        new.cloud_provider,
        new.bucket,
        new.expected_ingest_rate,
        new.is_enabled,
        now,
        now,
    )


def list_all(database: sqlite3.Connection) -> list[Connection]:
    """Return every connection in order of creation."""
    found = database.execute(
        "SELECT id, name, cloud_provider, bucket, expected_ingest_rate, is_enabled, created, last_updated"
        " FROM connections ORDER BY number"
    )
    return [_connection(*row) for row in found]


def _connection(
    connection_id: str,
    name: str,
    cloud_provider: str,
    bucket: str | None,
    expected_ingest_rate: float,
    is_enabled: int,
    created: float,
    last_updated: float,
) -> Connection:
    info = None if bucket is None else json.loads(bucket)
    return Connection(
        connection_id,
        name,
        cloud_provider,
        info,
        expected_ingest_rate,
        bool(is_enabled),
        created,
        last_updated,
    )


def find(database: sqlite3.Connection, connection_id: str) -> Connection | None:
    """Return the connection with an id, or None."""
    return next((found for found in list_all(database) if found.id == connection_id), None)


def save(database: sqlite3.Connection, changed: Connection) -> None:
    """Store a changed connection."""
    bucket = None if changed.bucket is None else json.dumps(dict(changed.bucket))
    database.execute(
        "UPDATE connections SET name = ?, bucket = ?, expected_ingest_rate = ?, is_enabled = ?, last_updated = ?"
        " WHERE id = ?",
        (
            changed.name,
            bucket,
            changed.expected_ingest_rate,
            changed.is_enabled,
            changed.last_updated,
            changed.id,
        ),
    )


def remove(database: sqlite3.Connection, connection_id: str) -> None:
    """Delete a connection."""
    database.execute("DELETE FROM connections WHERE id = ?", (connection_id,))
