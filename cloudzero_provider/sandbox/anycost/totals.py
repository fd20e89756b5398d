"""A stored month's exact totals, hours, and a digest of its rows."""

# ruff: noqa: S608 - the only parts put into SQL are constants of the code
from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain, islice
from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.anycost.cbf import COST
from cloudzero_provider.sandbox.common.exact_sums import Totals

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator


@dataclass(frozen=True)
class MonthState:
    """A month's totals."""

    rows: int
    size: int
    totals: dict[str, str]
    cost_by_day: dict[str, str]
    hours: int
    first_hour: str
    last_hour: str

    @property
    def total_cost(self) -> str:
        return self.totals[COST]


@dataclass(frozen=True)
class MonthVersion:
    """A version of a stream's month: each change adds a block, and block ids are never reused."""

    stream: str
    month: str
    newest_block: int


class MonthStates:
    """Computes each month's totals once per change."""

    def __init__(self) -> None:
        self._states: dict[MonthVersion, MonthState] = {}
        self._digests: dict[MonthVersion, str] = {}

    def months(self, database: sqlite3.Connection) -> list[MonthVersion]:
        """Return the current months."""
        found = database.execute(
            "SELECT stream, month, max(blocks.id) FROM drops"
            " JOIN blocks ON drop_number = drops.number AND removed_at IS NULL"
            " WHERE closed_at IS NULL GROUP BY drops.number ORDER BY stream, month"
        )
        keys = [MonthVersion(*row) for row in found]
        present = set(keys)
        # Copied, since the page and the control API read at the same time, each in a thread of its own.
        self._states = {key: state for key, state in dict(self._states).items() if key in present}
        self._digests = {key: digest for key, digest in dict(self._digests).items() if key in present}
        return keys

    def state(self, database: sqlite3.Connection, key: MonthVersion) -> MonthState:
        found = self._states.get(key)
        if found is None:
            found = self._states[key] = _compute_state(database, key)
        return found

    def digest(self, database: sqlite3.Connection, key: MonthVersion) -> str:
        """SHA-256 over the rows as compact JSON with sorted keys, sorted, one per line, in UTF-8."""
        found = self._digests.get(key)
        if found is None:
            found = self._digests[key] = _digest(database, key)
        return found


#: The blocks of a month now; its parameters are the stream and the month.
_LIVE = (
    "blocks JOIN drops ON drops.number = drop_number"
    " WHERE stream = ? AND month = ? AND closed_at IS NULL AND removed_at IS NULL"
)


def drop_ids(database: sqlite3.Connection, key: MonthVersion) -> list[str]:
    """Return the ids of all drops the month has had, the current one last."""
    found = database.execute(
        "SELECT drop_id FROM drops WHERE stream = ? AND month = ? ORDER BY number", (key.stream, key.month)
    )
    return [drop_id for (drop_id,) in found]


def _compute_state(database: sqlite3.Connection, key: MonthVersion) -> MonthState:
    totals, days = Totals(), Totals()
    hours: set[str] = set()
    rows = size = 0
    blocks = database.execute(f"SELECT hour, row_count, byte_count, totals FROM {_LIVE}", (key.stream, key.month))
    for hour, row_count, byte_count, block_totals in blocks:
        rows += row_count
        size += byte_count
        hours.add(hour)
        for column, text in json.loads(block_totals).items():
            totals.add(column, Decimal(text))
            if column == COST:
                days.add(hour[:10], Decimal(text))
    return MonthState(rows, size, totals.as_texts(), days.as_texts(), len(hours), min(hours), max(hours))


def live_blocks(database: sqlite3.Connection, key: MonthVersion) -> Iterable[tuple[int, str]]:
    """Return the number and the day of each block of a month."""
    return database.execute(f"SELECT id, substr(hour, 1, 10) FROM {_LIVE}", (key.stream, key.month))


def _digest(database: sqlite3.Connection, key: MonthVersion) -> str:
    found = database.execute(
        f"SELECT rows FROM block_rows WHERE block_id IN (SELECT id FROM {_LIVE})", (key.stream, key.month)
    )
    lines = (line for (block,) in found for line in block.split(b"\n"))
    digest = hashlib.sha256()
    separator = b""
    for line in sorted_lines(lines, database):
        digest.update(separator + line)
        separator = b"\n"
    return digest.hexdigest()


def sorted_lines(lines: Iterator[bytes], database: sqlite3.Connection, most: int = 500_000) -> Iterable[bytes]:
    """
    Sort lines, in a file if they are too many for memory: a month of a bucket may have millions.

    :param lines: of any number.
    :param database: which sorts them in a temporary table.
    :param most: how many to sort in memory.
    """
    first = list(islice(lines, most + 1))
    if len(first) <= most:
        first.sort()
        return first
    database.execute("DROP TABLE IF EXISTS temp.lines")
    database.execute("CREATE TEMP TABLE lines (line BLOB NOT NULL)")
    database.executemany("INSERT INTO lines VALUES (?)", ((line,) for line in chain(first, lines)))
    del first
    return (line for (line,) in database.execute("SELECT line FROM temp.lines ORDER BY line"))
