"""Plans of telemetry, without Airflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloudzero_provider import sources
from cloudzero_provider.client.telemetry import StreamType, TelemetryOperation
from cloudzero_provider.telemetry.batches import BatchLimits
from cloudzero_provider.telemetry.checks import RecordRules, check_records
from cloudzero_provider.telemetry.planning.report import plan_records
from cloudzero_provider.telemetry.record_kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cloudzero_provider.telemetry.checks import CheckedRecords
    from cloudzero_provider.telemetry.planning.report import TelemetryPlanReport


def checked(
    records: Sequence[dict[str, Any]],
    stream_type: str = "allocation",
    operation: str = "replace",
    granularity: str | None = "DAILY",
    **choices: Any,
) -> CheckedRecords:
    kind = KINDS[StreamType(stream_type)]
    rules = RecordRules(kind, TelemetryOperation(operation), granularity, **choices)
    return check_records(sources.from_records(records), rules)


def planned(
    records: Sequence[dict[str, Any]],
    *,
    clear_periods: bool = False,
    limits: BatchLimits | None = None,
    now: datetime | None = None,
    **rules: Any,
) -> TelemetryPlanReport:
    """The report of sending records to the stream ``orders``."""
    limits = limits or BatchLimits()
    return plan_records("orders", checked(records, **rules), limits, clear_periods=clear_periods, now=now)
