"""Reading drops back, as they are now or were some seconds ago."""

# ruff: noqa: S608 - the only parts put into SQL are constants of the code
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.anycost.store import DropSummary
from cloudzero_provider.sandbox.common.database import read_json_array
from cloudzero_provider.sandbox.common.months import Month, parse_month
from cloudzero_provider.sandbox.settings.anycost import MonthFormat
from cloudzero_provider.sandbox.settings.replies import RowCountMeans

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from cloudzero_provider.sandbox.common.database import Database


def _live_condition(begin: str, end: str, at: float | None) -> tuple[str, tuple[float, ...]]:
    # Without a lag the clock must not matter, so current data is found by its end alone.
    if at is None:
        return f"{end} IS NULL", ()
    return f"{begin} <= ? AND ({end} IS NULL OR {end} > ?)", (at, at)


def list_drops(database: sqlite3.Connection, stream: str, at: float | None, means: RowCountMeans) -> list[DropSummary]:
    """Return the months of a stream as they are now, or were at a time."""
    drop_alive, drop_times = _live_condition("drops.opened_at", "drops.closed_at", at)
    block_alive, block_times = _live_condition("blocks.added_at", "blocks.removed_at", at)
    # One row per request of which blocks are left. The last request always has all of its blocks.
    found = database.execute(
        "SELECT drops.drop_id, drops.month, sum(blocks.row_count) FROM drops"
        f" JOIN blocks ON blocks.drop_number = drops.number AND {block_alive}"
        f" WHERE drops.stream = ? AND {drop_alive}"
        " GROUP BY drops.number, blocks.added_at ORDER BY drops.month, blocks.added_at",
        (*block_times, stream, *drop_times),
    )
    counts: dict[tuple[str, str], list[int]] = {}
    for drop_id, month, rows in found:
        counts.setdefault((drop_id, month), []).append(rows)
    return [
        DropSummary(
            drop_id, parse_month(month, MonthFormat.BOTH), rows[-1] if means is RowCountMeans.REQUEST else sum(rows)
        )
        for (drop_id, month), rows in counts.items()
    ]


@dataclass(frozen=True)
class MonthContents:
    """A month's rows as one JSON array, read piece by piece from one snapshot."""

    length: int
    pieces: Iterator[bytes]


def open_month(database: Database, stream: str, month: Month, at: float | None) -> MonthContents | None:
    """Open the rows of a month; None if the month does not exist."""
    connection = database.connect()
    connection.execute("BEGIN")
    alive, times = _live_condition("blocks.added_at", "blocks.removed_at", at)
    blocks = (
        f"blocks JOIN drops ON drops.number = blocks.drop_number WHERE drops.stream = ? AND drops.month = ? AND {alive}"
    )
    wanted = (stream, str(month), *times)
    rows, size = connection.execute(f"SELECT sum(row_count), sum(byte_count) FROM {blocks}", wanted).fetchone()
    if not rows:
        connection.close()
        return None
    commas_and_brackets = rows - 1 + 2
    query = f"SELECT rows FROM block_rows JOIN (SELECT id, hour FROM {blocks}) ON block_id = id ORDER BY hour, id"
    blocks_of_rows = (rows.replace(b"\n", b",") for (rows,) in connection.execute(query, wanted))
    return MonthContents(size + commas_and_brackets, read_json_array(connection, blocks_of_rows))
