"""The provider, for telemetry: read, check, and make every batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.inputs.telemetry import GRANULARITY
from benchmarks.programs.our_billing import reader
from cloudzero_provider.client.telemetry import StreamType, TelemetryOperation
from cloudzero_provider.telemetry.batches import BatchLimits, make_batches
from cloudzero_provider.telemetry.checks import RecordRules, check_records
from cloudzero_provider.telemetry.record_kinds import KINDS
from cloudzero_provider.telemetry.table_records import joined_records

if TYPE_CHECKING:
    from benchmarks.model import Input, Sink, Work

RULES = RecordRules(KINDS[StreamType.ALLOCATION], TelemetryOperation.REPLACE, GRANULARITY)


def prepare(given: Input) -> Work:
    """Return what makes the batches of all records, as the operator does."""
    read = reader(given)

    def work(sink: Sink) -> None:
        for batch in make_batches(check_records(joined_records([read()], RULES.kind), RULES), BatchLimits()):
            sink(batch.body)

    return work
