"""Report what sending telemetry would do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloudzero_provider.client.telemetry import TelemetryOperation
from cloudzero_provider.telemetry.batches import planned_batches, sha256_of
from cloudzero_provider.telemetry.planning.markdown import headline, report_markdown
from cloudzero_provider.telemetry.planning.parts import parts_of
from cloudzero_provider.telemetry.planning.periods import periods_of, periods_without_records
from cloudzero_provider.telemetry.send_summary import summarize

if TYPE_CHECKING:
    from datetime import datetime

    from cloudzero_provider.telemetry.batches import BatchLimits
    from cloudzero_provider.telemetry.checks import CheckedRecords
    from cloudzero_provider.telemetry.planning.parts import RecordParts
    from cloudzero_provider.telemetry.planning.periods import Periods
    from cloudzero_provider.telemetry.send_summary import TelemetrySummary

#: What a sensor looks for, and what only a task that sends can be.
_OF_SENDING = ("record_hashes", "check_only")


@dataclass(frozen=True)
class TelemetryPlanReport:
    """
    What sending telemetry would do.

    :param summary: of what would be sent.
    :param limits: of each request.
    :param largest_request_bytes: size of the largest body.
    :param largest_request_records: number of records of the request that has the most.
    :param cleared: periods whose records are deleted first; ``None`` without ``clear_periods``.
    :param parts: the records by period, and by element or filter keys.
    :param without_records: periods that no record is in, of the month or else between the first and the last record;
        ``None`` for a ``delete``. A record with a value of zero counts.
    """

    summary: TelemetrySummary
    limits: BatchLimits
    largest_request_bytes: int
    largest_request_records: int
    cleared: Periods | None
    parts: RecordParts
    without_records: Periods | None

    @property
    def markdown(self) -> str:
        """The report in Markdown."""
        return report_markdown(self)

    def __str__(self) -> str:
        """What would be sent, in a sentence."""
        return headline(self)

    def as_dict(self) -> dict[str, Any]:
        """The report as plain JSON values: at most 31 periods and 20 elements, with the others summed."""
        facts = {name: value for name, value in self.summary.as_dict().items() if name not in _OF_SENDING}
        parts = self.parts
        return facts | {
            "largest_request_bytes": self.largest_request_bytes,
            "largest_request_records": self.largest_request_records,
            "limits": dict(vars(self.limits)),
            "cleared": self.cleared.as_dict() if self.cleared else None,
            "by_period": {"unit": parts.unit.value, **parts.by_period.as_dict("period")},
            "by_value": {"by": parts.by, **parts.by_value.as_dict("value")},
            "without_records": self.without_records.as_dict() if self.without_records else None,
            "markdown": self.markdown,
        }


def plan_records(
    stream_name: str,
    records: CheckedRecords,
    limits: BatchLimits,
    *,
    clear_periods: bool = False,
    now: datetime | None = None,
) -> TelemetryPlanReport:
    """
    Report what sending records would do. Nothing is sent, and nothing is read.

    :param stream_name: the stream.
    :param records: the checked records.
    :param limits: of each request.
    :param clear_periods: whether all records of their periods would be deleted first.
    :param now: the time, which decides which days of the current month are over.
    :raises ConfigurationError, InputError: when the records can't be sent so.
    """
    batches = planned_batches(records, limits, clear_periods=clear_periods)
    rules, periods, granularity = records.rules, records.periods, records.granularity
    is_deletion = rules.operation is TelemetryOperation.DELETE
    return TelemetryPlanReport(
        summary=summarize(stream_name, records, batches, sha256_of(batches), check_only=True),
        limits=limits,
        largest_request_bytes=max((batch.size for batch in batches), default=0),
        largest_request_records=max((batch.records for batch in batches), default=0),
        cleared=periods_of(periods, granularity) if clear_periods else None,
        parts=parts_of(records),
        without_records=None if is_deletion else periods_without_records(periods, granularity, rules.month, now),
    )
