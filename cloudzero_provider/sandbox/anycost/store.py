"""
The stored drops of every stream, and the three operations on them.

Each request's rows are stored as one block per hour, so that replacing an hour or summing a month does not read rows.
"""

# ruff: noqa: S608 - the only parts put into SQL are constants of the code
from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.anycost.drop import Drop, Operation
from cloudzero_provider.sandbox.http.replies import ErrorType, bad_request
from cloudzero_provider.sandbox.settings.anycost import EmptyData

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from cloudzero_provider.sandbox.anycost.rows import HourBlock
    from cloudzero_provider.sandbox.common.months import Month
    from cloudzero_provider.sandbox.settings.all_settings import Settings


@dataclass(frozen=True)
class DropSummary:
    """A month of a stream: its drop and number of rows."""

    drop_id: str
    month: Month
    row_count: int


@dataclass(frozen=True)
class _OpenDrop:
    number: int
    drop_id: str


def apply_drop(database: sqlite3.Connection, stream: str, drop: Drop, settings: Settings, now: float) -> DropSummary:
    """
    Apply a drop's operation in the caller's transaction.

    "If no prior data exists, CloudZero creates a new billing drop for the specified month", so a month that
    has data keeps its drop under all three operations: https://docs.cloudzero.com/docs/anycost-send-stream-data
    """
    if not drop.blocks:
        return _apply_empty(database, stream, drop, settings, now)
    current = _open_drop(database, stream, drop.month) or _open_new(database, stream, drop.month, now)
    _remove_replaced(database, current, drop, now)
    add_blocks(database, current.number, drop.blocks, now)
    row_count = _check_limits(database, current, drop.month, settings)
    _purge(database, now - settings.read_lag_seconds)
    return DropSummary(current.drop_id, drop.month, row_count)


def _apply_empty(database: sqlite3.Connection, stream: str, drop: Drop, settings: Settings, now: float) -> DropSummary:
    current = _open_drop(database, stream, drop.month)
    if current is None:
        return DropSummary(str(uuid.uuid4()), drop.month, 0)
    if drop.operation is Operation.REPLACE_DROP and settings.empty_data is EmptyData.CLEARS_MONTH:
        _remove_replaced(database, current, drop, now)
        database.execute("UPDATE drops SET closed_at = ? WHERE number = ?", (now, current.number))
        _purge(database, now - settings.read_lag_seconds)
        return DropSummary(current.drop_id, drop.month, 0)
    return DropSummary(current.drop_id, drop.month, _size(database, current)[0])


def _open_drop(database: sqlite3.Connection, stream: str, month: Month) -> _OpenDrop | None:
    found = database.execute(
        "SELECT number, drop_id FROM drops WHERE stream = ? AND month = ? AND closed_at IS NULL",
        (stream, str(month)),
    ).fetchone()
    return _OpenDrop(*found) if found else None


def _open_new(database: sqlite3.Connection, stream: str, month: Month, now: float) -> _OpenDrop:
    drop_id = str(uuid.uuid4())
    database.execute(
        "INSERT INTO drops (drop_id, stream, month, opened_at) VALUES (?, ?, ?, ?)",
        (drop_id, stream, str(month), now),
    )
    found = database.execute("SELECT number FROM drops WHERE drop_id = ?", (drop_id,)).fetchone()
    return _OpenDrop(found[0], drop_id)


def _remove_replaced(database: sqlite3.Connection, current: _OpenDrop, drop: Drop, now: float) -> None:
    remove = "UPDATE blocks SET removed_at = ? WHERE drop_number = ? AND removed_at IS NULL"
    if drop.operation is Operation.REPLACE_DROP:
        database.execute(remove, (now, current.number))
    elif drop.operation is Operation.REPLACE_HOURLY:
        hours = ((now, current.number, block.hour) for block in drop.blocks)
        database.executemany(f"{remove} AND hour = ?", hours)


def add_blocks(database: sqlite3.Connection, drop_number: int, blocks: Sequence[HourBlock], now: float) -> None:
    """Add blocks to a drop, with ids that no block has had before."""
    last_id = database.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'blocks'").fetchone()
    numbered = list(enumerate(blocks, start=last_id[0] + 1))
    database.executemany(
        "INSERT INTO blocks (id, drop_number, hour, row_count, byte_count, totals, added_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            (
                number,
                drop_number,
                block.hour,
                block.row_count,
                block.byte_count,
                json.dumps(block.totals),
                now,
            )
            for number, block in numbered
        ),
    )
    database.executemany(
        "INSERT INTO block_rows (block_id, rows) VALUES (?, ?)",
        ((number, block.rows) for number, block in numbered),
    )


def _size(database: sqlite3.Connection, current: _OpenDrop) -> tuple[int, int]:
    rows, size = database.execute(
        "SELECT coalesce(sum(row_count), 0), coalesce(sum(byte_count), 0) FROM blocks"
        " WHERE drop_number = ? AND removed_at IS NULL",
        (current.number,),
    ).fetchone()
    return rows, size


def _check_limits(database: sqlite3.Connection, current: _OpenDrop, month: Month, settings: Settings) -> int:
    """Return the month's number of rows; refuse the request if the month exceeds a limit."""
    rows, size = _size(database, current)
    if rows > settings.month_row_limit:
        raise bad_request(
            ErrorType.MONTH_LIMIT, f"{month} would have {rows} rows; the limit is {settings.month_row_limit}."
        )
    if size > settings.month_byte_limit:
        raise bad_request(
            ErrorType.MONTH_LIMIT,
            f"{month} would have {size} bytes; the limit is {settings.month_byte_limit}.",
        )
    return rows


def _purge(database: sqlite3.Connection, removed_before: float) -> None:
    """Delete removed rows that are too old for any lagging read."""
    old = "SELECT id FROM blocks WHERE removed_at <= ?"
    database.execute(f"DELETE FROM block_rows WHERE block_id IN ({old})", (removed_before,))
    database.execute(f"DELETE FROM blocks WHERE id IN ({old})", (removed_before,))


def forget_stream(database: sqlite3.Connection, stream: str) -> None:
    """Delete every drop of a stream."""
    of_stream = "SELECT blocks.id FROM blocks JOIN drops ON drops.number = drop_number WHERE stream = ?"
    database.execute(f"DELETE FROM block_rows WHERE block_id IN ({of_stream})", (stream,))
    database.execute(f"DELETE FROM blocks WHERE id IN ({of_stream})", (stream,))
    database.execute("DELETE FROM drops WHERE stream = ?", (stream,))


def forget_all(database: sqlite3.Connection) -> None:
    """Delete every drop."""
    for table in ("drops", "blocks", "block_rows"):
        database.execute(f"DELETE FROM {table}")
