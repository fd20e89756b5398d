"""What a task is about to write to a telemetry stream, and what of another task's records it would replace."""

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
    entries_of,
    pack,
    pack_entries,
    shown,
    unpack,
    unpack_entries,
)
from cloudzero_provider.values.limits import CLAIMED_RECORDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cloudzero_provider.client import Client
    from cloudzero_provider.telemetry.checks import CheckedRecords

_KIND = "telemetry"
#: Stands for every element, where a deletion has none.
_ANY = "*"


@dataclass(frozen=True)
class RecordsWrite:
    """
    Records that are about to be written.

    :param base_url: of CloudZero.
    :param stream_type: metric or allocation.
    :param stream_name: the stream.
    :param operation: ``replace``, ``sum`` or ``delete``.
    :param records: how many.
    :param written: periods of the records that are not deleted.
    :param cleared: periods that are cleared first.
    :param entries: the first records.
    :param shown: what each entry is, for an error. Never part of a claim.
    """

    base_url: str
    stream_type: StreamType
    stream_name: str
    operation: TelemetryOperation
    records: int
    written: tuple[str, ...]
    cleared: tuple[str, ...]
    entries: tuple[Entry, ...]
    shown: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, client: Client, stream_name: str, records: CheckedRecords, *, clear_periods: bool) -> RecordsWrite:
        """
        Describe what records write.

        :param client: they are sent with.
        :param stream_name: the stream.
        :param records: checked.
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
            shown=tuple(shown(first)),
        )

    @property
    def described(self) -> str:
        """What is written, for an error."""
        records = f"{self.records:,} record{'' if self.records == 1 else 's'}"
        cleared = ", clear_periods" if self.cleared else ""
        return f"{records} to {self.stream_type.value} stream {self.stream_name} ({self.operation.value}{cleared})"

    @property
    def unchecked(self) -> int:
        """How many records are not among the entries."""
        return self.records - len(self.entries)

    def as_claim(self) -> dict[str, Any]:
        """Write it as JSON values."""
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

    def other(self, claim: Mapping[str, Any]) -> RecordsWrite | None:
        """
        Read the claim of another task; ``None`` when it is about another stream.

        :param claim: as :meth:`as_claim` makes it.
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
        Say what of another write to the same stream this one replaces.

        :param other: the other write.
        """
        same = sorted({*self.cleared} & {*other.written})
        if same:
            more = f" and {len(same) - 1:,} more" if len(same) > 1 else ""
            return f"clear_periods=True deletes all records of periods that both have ({same[0]}{more})"
        if self.operation is TelemetryOperation.SUM:
            return None
        return self._with_other_value(other) or self._with_more_keys(other)

    def _with_other_value(self, other: RecordsWrite) -> str | None:
        found = [number for number, entry in enumerate(self.entries) if other.holds_otherwise(entry)]
        if not found:
            return None
        what = f"{len(found):,} record{'' if len(found) == 1 else 's'} of the same identity with another value"
        return f"{self.operation.value} replaces {what}, like that of {self._show(found[0])}"

    def _with_more_keys(self, other: RecordsWrite) -> str | None:
        found = [number for number, entry in enumerate(self.entries) if other.holds_more_of(entry)]
        if not found:
            return None
        if self.entries[found[0]].value is None:
            return f"the deletion of {self._show(found[0])} hides every record that has its properties and more"
        return (
            f"the record of {self._show(found[0])} may replace records with more filter keys, too: replace takes any "
            "data that matches its properties (records with fewer keys go first)"
        )

    def holds_otherwise(self, entry: Entry) -> bool:
        """
        Whether a record of this write has the identity of an entry, and not its value.

        :param entry: of another write, which replaces or deletes.
        """
        identity = (entry.period, entry.element, entry.scope)
        adds = self.operation is TelemetryOperation.SUM
        return identity in self._by_identity and (adds or self._by_identity[identity] != entry.value)

    def holds_more_of(self, entry: Entry) -> bool:
        """
        Whether a record of this write has the properties of an entry, and more.

        A deletion hides such records. CloudZero's specification can be read as saying the same of ``replace``.

        :param entry: of another write, which replaces or deletes.
        """
        any_element = entry.value is None and entry.element is None
        element = _ANY if any_element else entry.element
        if any_element and (entry.period, entry.scope) in self._of_any_element:
            return True
        if not entry.scope:
            return (entry.period, element) in self._with_keys
        wider = self._with_pair.get((entry.period, element, min(entry.scope)), ())
        return any(entry.scope < scope for scope in wider)

    def _show(self, number: int) -> str:
        return self.shown[number] if self.shown else self.entries[number].period

    @cached_property
    def _by_identity(self) -> dict[tuple[str, str | None, frozenset[str]], str | None]:
        return {(entry.period, entry.element, entry.scope): entry.value for entry in self.entries}

    @cached_property
    def _of_any_element(self) -> set[tuple[str, frozenset[str]]]:
        return {(entry.period, entry.scope) for entry in self._kept() if entry.element is not None}

    @cached_property
    def _with_keys(self) -> set[tuple[str, str | None]]:
        """Periods and elements of records that have filter keys."""
        return {(entry.period, element) for entry in self._kept() if entry.scope for element in (entry.element, _ANY)}

    @cached_property
    def _with_pair(self) -> dict[tuple[str, str | None, str], list[frozenset[str]]]:
        """Scopes of several filter keys, by each of these."""
        found = defaultdict(list)
        for entry in self._kept():
            if len(entry.scope) > 1:
                for pair in entry.scope:
                    found[entry.period, entry.element, pair].append(entry.scope)
                    found[entry.period, _ANY, pair].append(entry.scope)
        return dict(found)

    def _kept(self) -> Iterator[Entry]:
        return (entry for entry in self.entries if entry.value is not None)
