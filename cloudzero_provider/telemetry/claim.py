"""Claim of a telemetry write: what it is about to write, and which records of another task it would replace."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl

from cloudzero_provider.claims import comparable_url
from cloudzero_provider.client.telemetry import StreamType, TelemetryOperation
from cloudzero_provider.telemetry.claim_entries import (
    Entry,
    describe_records,
    entries_of,
    pack,
    pack_entries,
    unpack,
    unpack_entries,
)
from cloudzero_provider.values.counted import counted
from cloudzero_provider.values.limits import CLAIMED_RECORDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cloudzero_provider.client import Client
    from cloudzero_provider.telemetry.checks import CheckedRecords

_KIND = "telemetry"
#: Every element: what a deletion without an element covers.
_ANY_ELEMENT = "*"
#: Whether an operation replaces what is held, instead of adding to it.
_REPLACES = {
    TelemetryOperation.REPLACE: True,
    TelemetryOperation.SUM: False,
    TelemetryOperation.DELETE: True,
}


@dataclass(frozen=True)
class RecordsWrite:
    """
    Records that are about to be written.

    :param base_url: of CloudZero.
    :param stream_type: metric or allocation.
    :param stream_name: the stream.
    :param operation: ``replace``, ``sum`` or ``delete``.
    :param records: number of records.
    :param written: periods of the records that are not deleted.
    :param cleared: periods that are cleared first.
    :param entries: the first records, as hashes.
    :param descriptions: of each entry, for an error. Never part of a claim.
    """

    base_url: str
    stream_type: StreamType
    stream_name: str
    operation: TelemetryOperation
    records: int
    written: tuple[str, ...]
    cleared: tuple[str, ...]
    entries: tuple[Entry, ...]
    descriptions: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, client: Client, stream_name: str, records: CheckedRecords, *, clear_periods: bool) -> RecordsWrite:
        """
        Describe the write of checked records.

        :param client: the client that sends them.
        :param stream_name: the stream.
        :param records: the checked records.
        :param clear_periods: whether their periods are cleared first.
        """
        operation = records.rules.operation
        kept = records.frame
        if operation is TelemetryOperation.DELETE:
            kept = kept.with_columns(value=pl.lit(None, dtype=pl.String))
        both = pl.concat([kept, records.zeros.with_columns(value=pl.lit(None, dtype=pl.String))])
        first = both.head(CLAIMED_RECORDS).select("timestamp", "element_name", "keys", "value")
        written = both.filter(pl.col("value").is_not_null())["timestamp"].unique(maintain_order=True)
        return cls(
            base_url=comparable_url(client.config.base_url),
            stream_type=records.rules.kind.stream_type,
            stream_name=stream_name,
            operation=operation,
            records=both.height,
            written=tuple(written),
            cleared=tuple(records.periods) if clear_periods else (),
            entries=tuple(entries_of(first)),
            descriptions=tuple(describe_records(first)),
        )

    @property
    def description(self) -> str:
        """What is written, for an error."""
        records = counted(self.records, "record")
        cleared = ", clear_periods" if self.cleared else ""
        return f"{records} to {self.stream_type.value} stream {self.stream_name} ({self.operation.value}{cleared})"

    @property
    def uncompared(self) -> int:
        """Number of records that are not among the entries."""
        return self.records - len(self.entries)

    def as_claim(self) -> dict[str, Any]:
        """Return the claim as plain JSON values."""
        return {
            "kind": _KIND,
            "base_url": self.base_url,
            "stream_type": self.stream_type.value,
            "stream": self.stream_name,
            "operation": self.operation.value,
            "records": self.records,
            "periods": pack({"written": self.written, "cleared": self.cleared}),
            "entries": pack_entries(self.entries),
        }

    def read_claim(self, claim: Mapping[str, Any]) -> RecordsWrite | None:
        """
        Read the claim of another task; ``None`` when it is about another stream.

        :param claim: as :meth:`as_claim` returned it.
        """
        if claim["kind"] != _KIND:
            return None
        target = (claim["base_url"], claim["stream_type"], claim["stream"])
        if target != (self.base_url, self.stream_type.value, self.stream_name):
            return None
        periods = unpack(claim["periods"])
        return RecordsWrite(
            base_url=self.base_url,
            stream_type=self.stream_type,
            stream_name=self.stream_name,
            operation=TelemetryOperation(claim["operation"]),
            records=int(claim["records"]),
            written=tuple(periods["written"]),
            cleared=tuple(periods["cleared"]),
            entries=tuple(unpack_entries(claim["entries"])),
        )

    def replaces(self, other: RecordsWrite) -> str | None:
        """
        Describe what this write replaces of another one to the same stream; ``None`` for nothing.

        :param other: the other write.
        """
        same = sorted({*self.cleared} & {*other.written})
        if same:
            more = f" and {len(same) - 1:,} more" if len(same) > 1 else ""
            return f"clear_periods=True deletes all records of periods that both have ({same[0]}{more})"
        if not _REPLACES[self.operation]:
            return None
        return self._replaced_values(other) or self._replaced_with_more_keys(other)

    def _replaced_values(self, other: RecordsWrite) -> str | None:
        found = [number for number, entry in enumerate(self.entries) if other.has_other_value(entry)]
        if not found:
            return None
        what = f"{counted(len(found), 'record')} of the same identity with another value"
        return f"{self.operation.value} replaces {what}, like {self._describe(found[0])}"

    def _replaced_with_more_keys(self, other: RecordsWrite) -> str | None:
        found = [number for number, entry in enumerate(self.entries) if other.has_more_keys(entry)]
        if not found:
            return None
        if self.entries[found[0]].value is None:
            return f"the deletion of {self._describe(found[0])} hides every record that has its properties and more"
        return (
            f"the record {self._describe(found[0])} may also replace records with more filter keys, since replace "
            "replaces all data that matches its properties (send records with fewer keys first)"
        )

    def has_other_value(self, entry: Entry) -> bool:
        """
        Whether a record of this write has the identity of an entry, but another value.

        :param entry: of another write that replaces or deletes.
        """
        identity = (entry.period, entry.element, entry.scope)
        replaces = _REPLACES[self.operation]
        return identity in self._by_identity and (not replaces or self._by_identity[identity] != entry.value)

    def has_more_keys(self, entry: Entry) -> bool:
        """
        Whether a record of this write has the properties of an entry, and more.

        A deletion hides such records. CloudZero's specification can be read as saying the same of ``replace``.

        :param entry: of another write that replaces or deletes.
        """
        any_element = entry.value is None and entry.element is None
        element = _ANY_ELEMENT if any_element else entry.element
        if any_element and (entry.period, entry.scope) in self._with_element:
            return True
        if not entry.scope:
            return (entry.period, element) in self._with_keys
        candidates = self._scopes_by_key.get((entry.period, element, min(entry.scope)), ())
        return any(entry.scope < scope for scope in candidates)

    def _describe(self, number: int) -> str:
        return self.descriptions[number] if self.descriptions else self.entries[number].period

    @cached_property
    def _by_identity(self) -> dict[tuple[str, str | None, frozenset[str]], str | None]:
        return {(entry.period, entry.element, entry.scope): entry.value for entry in self.entries}

    @cached_property
    def _with_element(self) -> set[tuple[str, frozenset[str]]]:
        """Periods and scopes of records that have an element."""
        return {(entry.period, entry.scope) for entry in self._not_deleted() if entry.element is not None}

    @cached_property
    def _with_keys(self) -> set[tuple[str, str | None]]:
        """Periods and elements of records that have filter keys."""
        with_keys = [entry for entry in self._not_deleted() if entry.scope]
        return {(entry.period, element) for entry in with_keys for element in (entry.element, _ANY_ELEMENT)}

    @cached_property
    def _scopes_by_key(self) -> dict[tuple[str, str | None, str], list[frozenset[str]]]:
        """Scopes of more than one filter key, by period, element and each of their keys."""
        found = defaultdict(list)
        for entry in self._not_deleted():
            if len(entry.scope) > 1:
                for key in entry.scope:
                    found[entry.period, entry.element, key].append(entry.scope)
                    found[entry.period, _ANY_ELEMENT, key].append(entry.scope)
        return dict(found)

    def _not_deleted(self) -> Iterator[Entry]:
        return (entry for entry in self.entries if entry.value is not None)
