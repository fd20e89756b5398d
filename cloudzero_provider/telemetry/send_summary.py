"""The summary of what was sent to a telemetry stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from cloudzero_provider.telemetry.batches import sampled_hashes
from cloudzero_provider.values.counted import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudzero_provider.telemetry.batches import Batch
    from cloudzero_provider.telemetry.checks import CheckedRecords


@dataclass(frozen=True)
class TelemetrySummary:
    """
    Summary of what was sent.

    :param stream_name: the stream.
    :param stream_type: ``metric`` or ``allocation``.
    :param operation: ``replace``, ``sum`` or ``delete``.
    :param granularity: of all records.
    :param month: the month of all records, if known.
    :param records: number of records sent, without those deleted as zeros.
    :param requests: number of requests.
    :param bytes: size of all bodies.
    :param total: exact sum of the values, as a decimal string.
    :param first: period of the earliest record.
    :param last: period of the latest record.
    :param key_sets: number of different sets of filter keys.
    :param duplicates_summed: number of records summed into another with the same identity.
    :param zeros_deleted: number of records deleted because their value is zero.
    :param zeros_skipped: number of records left out because their value is zero.
    :param values_rounded: number of floats that rounding to 15 significant digits changed.
    :param sha256: hash of all bodies, in order.
    :param record_hashes: short hashes of up to 500 records, for a sensor to look for.
    :param check_only: whether the records were only checked, and nothing was sent.
    """

    stream_name: str
    stream_type: str
    operation: str
    granularity: str
    month: str | None
    records: int
    requests: int
    bytes: int
    total: str
    first: str
    last: str
    key_sets: int
    duplicates_summed: int
    zeros_deleted: int
    zeros_skipped: int
    values_rounded: int
    sha256: str
    record_hashes: tuple[str, ...]
    check_only: bool = False

    def __str__(self) -> str:
        """Stream, month if known, records and total."""
        what = f"{self.stream_name}, {self.month}" if self.month else self.stream_name
        only = ", only checked" if self.check_only else ""
        return f"{what}: {counted(self.records, 'record')}, total {self.total}{only}"

    def as_dict(self) -> dict[str, Any]:
        """The summary as plain JSON values."""
        return {**vars(self), "record_hashes": list(self.record_hashes)}


def summarize(
    stream_name: str, records: CheckedRecords, batches: Sequence[Batch], sha256: str, *, check_only: bool
) -> TelemetrySummary:
    """
    Summarize records and their batches.

    :param stream_name: the stream.
    :param records: the checked records.
    :param batches: all of their batches.
    :param sha256: hash of the bodies.
    :param check_only: whether nothing was sent.
    """
    frame, rules = records.frame, records.rules
    sent = pl.concat([part.select("timestamp", "key_set") for part in (frame, records.zeros)])
    return TelemetrySummary(
        stream_name=stream_name,
        stream_type=rules.kind.stream_type.value,
        operation=rules.operation.value,
        granularity=records.granularity,
        month=str(rules.month) if rules.month else None,
        records=frame.height,
        requests=len(batches),
        bytes=sum(batch.size for batch in batches),
        total=records.total,
        first=str(sent["timestamp"].min() or ""),
        last=str(sent["timestamp"].max() or ""),
        key_sets=sent["key_set"].n_unique(),
        duplicates_summed=records.duplicates_summed,
        zeros_deleted=records.zeros.height,
        zeros_skipped=records.zeros_skipped,
        values_rounded=records.values_rounded,
        sha256=sha256,
        record_hashes=tuple(sampled_hashes(records)),
        check_only=check_only,
    )
