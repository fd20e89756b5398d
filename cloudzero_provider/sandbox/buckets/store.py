"""
What the sandbox holds of bucket connections: the drop that is being read, the ingestions, and the errors of polling.

The rows of a month are stored like those of a stream, as a drop with blocks. While they are read, the drop counts as
closed long ago, so that nothing shows it; one transaction then puts it in the place of the month's drop.
"""

# ruff: noqa: S608 - the only parts put into SQL are constants of the code
from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.anycost.connections import find

if TYPE_CHECKING:
    import sqlite3

    from cloudzero_provider.sandbox.common.months import Month

#: Marks a drop that is being read.
_NOT_YET = 0.0


@dataclass(frozen=True)
class Ingestion:
    """
    What became of a drop or of a manifest.

    :param drop_id: that the manifest named; ``None`` for a manifest that was refused.
    :param ended_at: seconds since 1970.
    :param error: why it was refused; ``None`` if it was ingested.
    """

    folder: str
    drop_id: str | None
    ended_at: float
    files: int = 0
    rows: int = 0
    total_cost: str = "0"
    error: str | None = None

    def as_json(self) -> dict[str, object]:
        return {
            "drop_id": self.drop_id,
            "outcome": "ingested" if self.error is None else "refused",
            "ended_at": self.ended_at,
            "files": self.files,
            "rows": self.rows,
            "total_cost": self.total_cost,
            "error": self.error,
        }


def ingestions(database: sqlite3.Connection, connection: str) -> list[Ingestion]:
    """Return everything that was ingested or refused, the last one last."""
    found = database.execute(
        "SELECT folder, drop_id, ended_at, files, rows, total_cost, error FROM bucket_ingestions"
        " WHERE connection = ? ORDER BY number",
        (connection,),
    )
    return [Ingestion(*row) for row in found]


def last_drop_id(database: sqlite3.Connection, connection: str, folder: str) -> str | None:
    """Return the drop that was read last, whether it was ingested or refused."""
    found = database.execute(
        "SELECT drop_id FROM bucket_ingestions WHERE connection = ? AND folder = ? AND drop_id IS NOT NULL"
        " ORDER BY number DESC LIMIT 1",
        (connection, folder),
    ).fetchone()
    return found[0] if found else None


def note(database: sqlite3.Connection, connection: str, ingestion: Ingestion) -> None:
    """Store what became of a drop or a manifest."""
    database.execute(
        "INSERT INTO bucket_ingestions (connection, folder, drop_id, ended_at, files, rows, total_cost, error)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            connection,
            ingestion.folder,
            ingestion.drop_id,
            ingestion.ended_at,
            ingestion.files,
            ingestion.rows,
            ingestion.total_cost,
            ingestion.error,
        ),
    )


def open_staged(database: sqlite3.Connection, connection: str, month: Month, now: float) -> int:
    """Open a drop that nothing shows yet, and return its number."""
    drop_id = str(uuid.uuid4())
    database.execute(
        "INSERT INTO drops (drop_id, stream, month, opened_at, closed_at) VALUES (?, ?, ?, ?, ?)",
        (drop_id, connection, str(month), now, _NOT_YET),
    )
    number: int = database.execute("SELECT number FROM drops WHERE drop_id = ?", (drop_id,)).fetchone()[0]
    return number


def switch(database: sqlite3.Connection, connection: str, month: Month, staged: int, ingestion: Ingestion) -> None:
    """Put a drop that was read completely in the place of the month's drop; without rows, the month has none then."""
    if find(database, connection) is None:
        # It was deleted while the drop was read.
        forget_drop(database, staged)
        return
    current = database.execute(
        "SELECT number FROM drops WHERE stream = ? AND month = ? AND closed_at IS NULL", (connection, str(month))
    )
    for (number,) in current.fetchall():
        forget_drop(database, number)
    if ingestion.rows:
        opened = "UPDATE drops SET opened_at = ?, closed_at = NULL WHERE number = ?"
        database.execute(opened, (ingestion.ended_at, staged))
    else:
        forget_drop(database, staged)
    note(database, connection, ingestion)


def forget_drop(database: sqlite3.Connection, number: int) -> None:
    """Delete a drop with its rows. If it was deleted while it was read, delete the rows that were added after that."""
    blocks = "SELECT id FROM blocks WHERE drop_number = ?"
    database.execute(f"DELETE FROM block_rows WHERE block_id IN ({blocks})", (number,))
    database.execute("DELETE FROM blocks WHERE drop_number = ?", (number,))
    database.execute("DELETE FROM drops WHERE number = ?", (number,))


def forget_staged(database: sqlite3.Connection) -> None:
    """Delete the drops that were still being read when the sandbox ended."""
    found = database.execute("SELECT number FROM drops WHERE closed_at = ?", (_NOT_YET,))
    for (number,) in found.fetchall():
        forget_drop(database, number)


def errors(database: sqlite3.Connection, connection: str) -> dict[str, str]:
    """Return folder → why it can't be read now. The root's name is blank."""
    found = database.execute("SELECT folder, error FROM bucket_errors WHERE connection = ?", (connection,))
    return dict(found.fetchall())


def save_errors(database: sqlite3.Connection, connection: str, current: dict[str, str]) -> None:
    """Store why folders can't be read now."""
    database.execute("DELETE FROM bucket_errors WHERE connection = ?", (connection,))
    rows = ((connection, folder, error) for folder, error in current.items())
    database.executemany("INSERT INTO bucket_errors (connection, folder, error) VALUES (?, ?, ?)", rows)


def forget_connection(database: sqlite3.Connection, connection: str) -> None:
    """Delete the ingestions and errors of a connection."""
    for table in ("bucket_ingestions", "bucket_errors"):
        database.execute(f"DELETE FROM {table} WHERE connection = ?", (connection,))


def forget_all(database: sqlite3.Connection) -> None:
    """Delete the ingestions and errors of all connections."""
    for table in ("bucket_ingestions", "bucket_errors"):
        database.execute(f"DELETE FROM {table}")
