"""The SQLite database: one thread writes in order, and readers never wait for it."""

from __future__ import annotations

import asyncio
import fcntl
import sqlite3
import sys
import traceback
from concurrent.futures import Future, ThreadPoolExecutor
from typing import IO, TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

Result = TypeVar("Result")

_PIECE_BYTES = 256 * 1024

_SCHEMA = """
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS connections (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    cloud_provider TEXT NOT NULL,
    bucket TEXT,
    expected_ingest_rate REAL NOT NULL,
    is_enabled INTEGER NOT NULL,
    created REAL NOT NULL,
    last_updated REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS drops (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    drop_id TEXT NOT NULL UNIQUE,
    stream TEXT NOT NULL,
    month TEXT NOT NULL,
    opened_at REAL NOT NULL,
    closed_at REAL
);
CREATE INDEX IF NOT EXISTS drops_by_month ON drops (stream, month);
CREATE TABLE IF NOT EXISTS blocks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    drop_number INTEGER NOT NULL,
    hour TEXT NOT NULL,
    row_count INTEGER NOT NULL,
    byte_count INTEGER NOT NULL,
    totals TEXT NOT NULL,
    added_at REAL NOT NULL,
    removed_at REAL
);
CREATE INDEX IF NOT EXISTS blocks_by_hour ON blocks (drop_number, hour);
CREATE INDEX IF NOT EXISTS blocks_removed ON blocks (removed_at) WHERE removed_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS block_rows (block_id INTEGER PRIMARY KEY, rows BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS requests (number INTEGER PRIMARY KEY AUTOINCREMENT, record TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS replies (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    path TEXT NOT NULL,
    method TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    status INTEGER NOT NULL,
    content_type TEXT NOT NULL,
    headers TEXT NOT NULL,
    length INTEGER NOT NULL,
    kept_at REAL NOT NULL,
    UNIQUE (path, method, idempotency_key)
);
CREATE TABLE IF NOT EXISTS reply_pieces (
    reply INTEGER NOT NULL,
    position INTEGER NOT NULL,
    piece BLOB NOT NULL,
    PRIMARY KEY (reply, position)
);
CREATE TABLE IF NOT EXISTS telemetry_streams (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    granularity TEXT NOT NULL,
    changes INTEGER NOT NULL,
    created_at REAL NOT NULL,
    deleted_at REAL
);
CREATE UNIQUE INDEX IF NOT EXISTS telemetry_names ON telemetry_streams (name) WHERE deleted_at IS NULL;
CREATE TABLE IF NOT EXISTS telemetry_key_sets (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    stream INTEGER NOT NULL,
    key_set TEXT NOT NULL,
    UNIQUE (stream, key_set)
);
CREATE TABLE IF NOT EXISTS telemetry_records (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    stream INTEGER NOT NULL,
    timestamp TEXT NOT NULL,
    element_name TEXT NOT NULL,
    keys TEXT NOT NULL,
    value TEXT NOT NULL,
    hidden INTEGER NOT NULL,
    added_at REAL NOT NULL,
    removed_at REAL
);
CREATE UNIQUE INDEX IF NOT EXISTS telemetry_identities
    ON telemetry_records (stream, timestamp, element_name, keys) WHERE removed_at IS NULL;
CREATE INDEX IF NOT EXISTS telemetry_removed ON telemetry_records (removed_at) WHERE removed_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS telemetry_submissions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    stream INTEGER NOT NULL,
    submitted_at REAL NOT NULL,
    record_count INTEGER NOT NULL,
    records BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS telemetry_submissions_by_stream ON telemetry_submissions (stream);
CREATE TABLE IF NOT EXISTS bucket_ingestions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    connection TEXT NOT NULL,
    folder TEXT NOT NULL,
    drop_id TEXT,
    ended_at REAL NOT NULL,
    files INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    total_cost TEXT NOT NULL,
    error TEXT
);
CREATE INDEX IF NOT EXISTS bucket_ingestions_by_folder ON bucket_ingestions (connection, folder);
CREATE TABLE IF NOT EXISTS bucket_errors (
    connection TEXT NOT NULL,
    folder TEXT NOT NULL,
    error TEXT NOT NULL,
    PRIMARY KEY (connection, folder)
);
"""


class DirectoryInUseError(OSError):
    """Another sandbox is using the directory."""


class Database:
    """
    The sandbox's store. Committed data survives a restart and a ``SIGKILL``.

    Only one sandbox at a time can use a directory, because each knows only of its own running requests.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(directory / "sandbox.lock")
        self.path = directory / "sandbox.sqlite3"
        self._writer = ThreadPoolExecutor(1, "sandbox-writer")
        self._connection = self.connect()
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute("PRAGMA cache_size=-65536")
        self._connection.executescript(_SCHEMA)

    def connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, timeout=60, isolation_level=None, check_same_thread=False)

    async def write(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run the work as one transaction, after all work submitted earlier."""
        return await asyncio.wrap_future(self._submit(work))

    async def read(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run the work on one snapshot, without waiting for the writer."""
        return await asyncio.to_thread(self._read, work)

    def write_now(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Like ``write``, for use before the event loop runs or outside of it."""
        return self._submit(work).result()

    def read_now(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Like ``read``, for use outside of the event loop."""
        return self._read(work)

    def note(self, work: Callable[[sqlite3.Connection], None]) -> None:
        """Queue the work as one transaction without waiting for it."""
        self._submit(work).add_done_callback(_report)

    def close(self) -> None:
        """Finish the queued work, then close."""
        self._writer.shutdown(wait=True)
        self._connection.close()
        self._lock.close()

    def _read(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        connection = self.connect()
        try:
            connection.execute("BEGIN")
            return work(connection)
        finally:
            connection.close()

    def _submit(self, work: Callable[[sqlite3.Connection], Result]) -> Future[Result]:
        return self._writer.submit(self._transaction, work)

    def _transaction(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            result = work(self._connection)
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")
        return result


def read_json_array(
    connection: sqlite3.Connection, items: Iterable[bytes], start: bytes = b"[", end: bytes = b"]"
) -> Iterator[bytes]:
    """Join items, each as JSON, into an array in pieces of about 256 kB; close the connection at the end."""
    try:
        piece = bytearray(start)
        separator = b""
        for item in items:
            piece += separator
            piece += item
            separator = b","
            if len(piece) >= _PIECE_BYTES:
                yield bytes(piece)
                piece.clear()
        yield bytes(piece + end)
    finally:
        connection.close()


def _locked(path: Path) -> IO[str]:
    """Lock the file while it is open; the lock ends with the process, even after a ``SIGKILL``."""
    file = path.open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise DirectoryInUseError("another sandbox is using it") from None
    return file


def _report(done: Future[None]) -> None:
    error = done.exception()
    if error is not None:
        traceback.print_exception(type(error), error, error.__traceback__, file=sys.stderr)
