"""
Finding the records that match a delete, or a replace by properties.

"Any data within the appropriate stream that matches the supplied properties (timestamp is minimally required)":
https://docs.cloudzero.com/reference/deletemetrictelemetry, and in the same words
https://docs.cloudzero.com/reference/replacemetrictelemetry
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from cloudzero_provider.sandbox.telemetry.records import TelemetryRecord


class _Period:
    """The records of one timestamp, indexed by each of their properties."""

    def __init__(self, rows: Iterable[tuple[int, str, str]]) -> None:
        self.all: set[int] = set()
        self.by_element: dict[str, set[int]] = defaultdict(set)
        self.by_keys: dict[str, set[int]] = defaultdict(set)
        self._by_pair: dict[tuple[str, str], set[int]] = defaultdict(set)
        for number, element, keys in rows:
            self.all.add(number)
            self.by_element[element].add(number)
            self.by_keys[keys].add(number)
        for keys, numbers in self.by_keys.items():
            for pair in _pairs(keys):
                self._by_pair[pair] |= numbers

    def with_keys_of(self, keys: str) -> set[int]:
        """Return the records that have at least these keys with these values."""
        sets = sorted((self._by_pair.get(pair, set()) for pair in _pairs(keys)), key=len)
        return sets[0].intersection(*sets[1:]) if sets else self.all


def _pairs(keys: str) -> list[tuple[str, str]]:
    return [(key, json.dumps(value)) for key, value in json.loads(keys).items()]


class RecordMatcher:
    """
    Finds the stored, not hidden records that match the properties of given records.

    :param exact: match only records that have exactly the given keys.
    """

    def __init__(self, database: sqlite3.Connection, stream: int, *, exact: bool = False) -> None:
        self._database = database
        self._stream = stream
        self._exact = exact
        self._periods: dict[str, _Period] = {}

    def find(self, records: Sequence[TelemetryRecord]) -> set[int]:
        found: set[int] = set()
        for record in records:
            found |= self._find_one(record)
        return found

    def _find_one(self, record: TelemetryRecord) -> set[int]:
        period = self._period(record.timestamp)
        found = period.all if record.element_name is None else period.by_element.get(record.element_name, set())
        if record.keys is None:
            return found
        if self._exact:
            return found & period.by_keys.get(record.keys.text, set())
        return found & period.with_keys_of(record.keys.text)

    def _period(self, timestamp: str) -> _Period:
        if timestamp not in self._periods:
            rows = self._database.execute(
                "SELECT id, element_name, keys FROM telemetry_records"
                " WHERE stream = ? AND timestamp = ? AND removed_at IS NULL AND hidden = 0",
                (self._stream, timestamp),
            )
            self._periods[timestamp] = _Period(rows)
        return self._periods[timestamp]
