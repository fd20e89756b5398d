"""
Replies kept for their ``cloudzero-idempotency-key`` (https://docs.cloudzero.com/reference/idempotency).

Later requests with the same path, method and key get the first reply, even an error. Bodies are not compared.
"""

# ruff: noqa: S608 - the only parts put into SQL are constants of the code
from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.http.replies import Reply

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from cloudzero_provider.sandbox.common.database import Database


@dataclass(frozen=True)
class ReplyKey:
    """The key under which a reply is kept."""

    path: str
    method: str
    idempotency_key: str


def keep_reply(database: sqlite3.Connection, key: ReplyKey | None, reply: Reply, now: float) -> None:
    """Keep the reply, unless ``key`` is None or already has one."""
    if key is None:
        return
    kept = database.execute(
        "INSERT OR IGNORE INTO replies"
        " (path, method, idempotency_key, status, content_type, headers, length, kept_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            key.path,
            key.method,
            key.idempotency_key,
            reply.status,
            reply.content_type,
            json.dumps(reply.headers),
            reply.length,
            now,
        ),
    )
    if kept.rowcount:
        pieces = ((kept.lastrowid, position, piece) for position, piece in enumerate(reply.pieces()))
        database.executemany("INSERT INTO reply_pieces (reply, position, piece) VALUES (?, ?, ?)", pieces)


def find_reply(database: Database, key: ReplyKey) -> Reply | None:
    """Return the kept reply, which can be read more than once."""
    connection = database.connect()
    try:
        found = connection.execute(
            "SELECT number, status, length, content_type, headers FROM replies"
            " WHERE path = ? AND method = ? AND idempotency_key = ?",
            (key.path, key.method, key.idempotency_key),
        ).fetchone()
    finally:
        connection.close()
    if found is None:
        return None
    number, status, length, content_type, headers = found
    pairs = tuple((name, value) for name, value in json.loads(headers))
    return Reply(status, length, lambda: _pieces(database, number), content_type, pairs)


def forget_replies(database: sqlite3.Connection, kept_before: float | None = None) -> None:
    """Delete the replies kept before a time, or all of them."""
    old = "SELECT number FROM replies WHERE ? IS NULL OR kept_at < ?"
    moment = (kept_before, kept_before)
    database.execute(f"DELETE FROM reply_pieces WHERE reply IN ({old})", moment)
    database.execute(f"DELETE FROM replies WHERE number IN ({old})", moment)


def _pieces(database: Database, number: int) -> Iterator[bytes]:
    connection = database.connect()
    try:
        query = "SELECT piece FROM reply_pieces WHERE reply = ? ORDER BY position"
        for (piece,) in connection.execute(query, (number,)):
            yield piece
    finally:
        connection.close()
