"""The log of requests on CloudZero's paths, in order of arrival. Of the headers, only the user agent is kept."""

from __future__ import annotations

import itertools
import json
import time
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

    from cloudzero_provider.sandbox.common.database import Database


@dataclass(frozen=True)
class RequestRecord:
    """
    A request.

    ``ended`` is None while it runs; ``status`` is None if no reply was sent; ``message`` is what a refusal said.
    """

    number: int
    method: str
    path: str
    connection_id: str | None
    started: float
    overlapped: bool
    user_agent: str | None
    stream: str | None = None
    operation: str | None = None
    month: str | None = None
    rows: int | None = None
    bytes: int | None = None
    status: int | None = None
    applied: bool = False
    applied_at: float | None = None
    replayed: bool = False
    fault: str | None = None
    ended: float | None = None
    message: str | None = None


def _save(database: sqlite3.Connection, record: RequestRecord) -> None:
    database.execute(
        "INSERT INTO requests (number, record) VALUES (?, ?)"
        " ON CONFLICT (number) DO UPDATE SET record = excluded.record",
        (record.number, json.dumps(asdict(record))),
    )


class RequestLog:
    """Numbers requests and stores their records. Numbers are never reused, even after a reset."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._numbers = itertools.count(database.write_now(_end_interrupted_requests) + 1)
        self._forgotten = 0

    def next_number(self) -> int:
        return next(self._numbers)

    def save(self, record: RequestRecord) -> None:
        """Queue the record; later reads of the log include it."""
        self._database.note(lambda database: self.save_in(database, record))

    def save_in(self, database: sqlite3.Connection, record: RequestRecord) -> None:
        """Save in the caller's transaction, unless the request is from before a reset."""
        if record.number > self._forgotten:
            _save(database, record)

    async def since(self, number: int) -> list[dict[str, object]]:
        def read(database: sqlite3.Connection) -> list[tuple[str]]:
            query = "SELECT record FROM requests WHERE number > ? ORDER BY number"
            return database.execute(query, (number,)).fetchall()

        return [json.loads(record) for (record,) in await self._database.write(read)]

    async def flush(self) -> None:
        """Wait until what was queued is on disk, where reads that do not hold up the writer find it."""
        await self._database.write(lambda _: None)

    def forget_all(self, database: sqlite3.Connection) -> None:
        self._forgotten = next(self._numbers)
        database.execute("DELETE FROM requests")


def count_requests(database: sqlite3.Connection) -> int:
    """Return how many requests the log has."""
    (count,) = database.execute("SELECT count(*) FROM requests").fetchone()
    return int(count)


def last_requests(
    database: sqlite3.Connection, count: int, connection_id: str | None = None, stream: str | None = None
) -> list[dict[str, object]]:
    """
    Return the last requests, newest first.

    :param database: where they are.
    :param count: how many at most.
    :param connection_id: only those on this billing connection.
    :param stream: only those on this telemetry stream.
    """
    query = (
        "SELECT record FROM requests WHERE coalesce(json_extract(record, '$.connection_id') = ?, ? IS NULL)"
        " AND coalesce(json_extract(record, '$.stream') = ?, ? IS NULL) ORDER BY number DESC LIMIT ?"
    )
    found = database.execute(query, (connection_id, connection_id, stream, stream, count))
    return [json.loads(record) for (record,) in found]


def _end_interrupted_requests(database: sqlite3.Connection) -> int:
    """Mark requests as ended that were running when the sandbox last stopped. Return the last number used."""
    now = time.time()
    for (text,) in database.execute("SELECT record FROM requests").fetchall():
        record = RequestRecord(**json.loads(text))
        if record.ended is None:
            _save(database, replace(record, ended=now))
    found = database.execute("SELECT seq FROM sqlite_sequence WHERE name = 'requests'").fetchone()
    return found[0] if found else 0
