"""A telemetry stream's counts, exact total, and a digest of its records."""

# ruff: noqa: S608 - the only parts put into SQL are constants of the code
from __future__ import annotations

import hashlib
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.common.database import read_json_array
from cloudzero_provider.sandbox.common.exact_sums import add, without_trailing_zeros
from cloudzero_provider.sandbox.common.json_text import quoted
from cloudzero_provider.sandbox.telemetry.model import StreamKind
from cloudzero_provider.sandbox.telemetry.store import PRESENT, find_stream, list_streams

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from cloudzero_provider.sandbox.common.database import Database
    from cloudzero_provider.sandbox.telemetry.store import TelemetryStream

_ZERO = Decimal(0)
#: The records of a stream now; its parameter is the stream's number.
VISIBLE = f"timestamp, element_name, keys, value FROM telemetry_records WHERE {PRESENT} AND hidden = 0"


@dataclass(frozen=True)
class TelemetryState:
    """A stream's totals now, whether or not reads show its records yet."""

    records: int
    total: str
    hidden: int
    first: str | None
    last: str | None
    digest: str
    total_by_day: dict[str, str]

    def as_json(self) -> dict[str, object]:
        return {
            "records": self.records,
            "total": self.total,
            "hidden": self.hidden,
            "first": self.first,
            "last": self.last,
            "digest": self.digest,
        }


class TelemetryStates:
    """Computes each stream's totals once per change."""

    def __init__(self) -> None:
        self._states: dict[tuple[int, int], TelemetryState] = {}

    def streams(self, database: sqlite3.Connection) -> list[TelemetryStream]:
        """Return the current streams."""
        streams = list_streams(database)
        present = {(stream.number, stream.changes) for stream in streams}
        self._states = {key: state for key, state in dict(self._states).items() if key in present}
        return streams

    def state(self, database: sqlite3.Connection, stream: TelemetryStream) -> TelemetryState:
        key = (stream.number, stream.changes)
        found = self._states.get(key)
        if found is None:
            found = self._states[key] = _compute_state(database, stream)
        return found


def _compute_state(database: sqlite3.Connection, stream: TelemetryStream) -> TelemetryState:
    query = f"SELECT count(*) FROM telemetry_records WHERE {PRESENT} AND hidden = 1"
    (hidden,) = database.execute(query, (stream.number,)).fetchone()
    days: dict[str, Decimal] = {}
    lines: list[bytes] = []
    first = last = None
    for timestamp, element, keys, value in database.execute(f"SELECT {VISIBLE} ORDER BY timestamp", (stream.number,)):
        lines.append(_line(stream, timestamp, element, keys, value).encode())
        day = timestamp[:10]
        known = days.get(day)
        days[day] = Decimal(value) if known is None else add(known, Decimal(value))
        first, last = first or timestamp, timestamp
    lines.sort()
    total = _ZERO
    for of_day in days.values():
        total = add(total, of_day)
    digest = hashlib.sha256(b"\n".join(lines)).hexdigest()
    by_day = {day: without_trailing_zeros(of_day) for day, of_day in days.items()}
    return TelemetryState(len(lines), without_trailing_zeros(total), hidden, first, last, digest, by_day)


def _line(stream: TelemetryStream, timestamp: str, element: str, keys: str, value: str) -> str:
    """Format a record as compact JSON with sorted keys."""
    name = quoted(element) if stream.kind is StreamKind.ALLOCATION else "null"
    return f'{{"element_name":{name},"keys":{keys},"timestamp":"{timestamp}","value":"{value}"}}'


def open_records(database: Database, name: str) -> Iterator[bytes] | None:
    """Open a stream's visible records as one JSON object, read in pieces; None if the stream does not exist."""
    connection = database.connect()
    connection.execute("BEGIN")
    stream = find_stream(connection, name)
    if stream is None:
        connection.close()
        return None
    query = f"SELECT {VISIBLE} ORDER BY timestamp, element_name, keys"
    lines = (_line(stream, *record).encode() for record in connection.execute(query, (stream.number,)))
    return read_json_array(connection, lines, b'{"records":[', b"]}")
