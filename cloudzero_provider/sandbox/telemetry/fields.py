"""The allowed and required fields of a telemetry record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.settings.records import AllocationFilter, MetricGranularity
from cloudzero_provider.sandbox.telemetry.keys import KEYS_FIELD
from cloudzero_provider.sandbox.telemetry.model import Granularity, StreamKind, TelemetryOperation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudzero_provider.sandbox.settings.all_settings import Settings

TIMESTAMP, VALUE, GRANULARITY, ELEMENT = "timestamp", "value", "granularity", "element_name"
GRANULARITIES = {
    StreamKind.METRIC: (Granularity.DAILY, Granularity.MONTHLY),
    StreamKind.ALLOCATION: (Granularity.HOURLY, Granularity.DAILY, Granularity.MONTHLY),
}
METRIC_DEFAULT = Granularity.DAILY


def record_granularity(kind: StreamKind, record: dict[str, object], settings: Settings) -> object:
    """Return a record's granularity, or the default if it has none."""
    ignored = kind is StreamKind.METRIC and settings.metric_granularity is MetricGranularity.IGNORE
    return METRIC_DEFAULT.value if ignored else record.get(GRANULARITY, METRIC_DEFAULT.value)


def fields_of(
    kind: StreamKind, operation: TelemetryOperation, settings: Settings
) -> tuple[Sequence[str], Sequence[str]]:
    """Return the allowed and the required fields of a record."""
    allowed, required = [TIMESTAMP, GRANULARITY, KEYS_FIELD[kind]], [TIMESTAMP]
    if kind is StreamKind.METRIC and settings.metric_granularity is MetricGranularity.REFUSE:
        allowed.remove(GRANULARITY)
    if kind is StreamKind.ALLOCATION:
        allowed.append(ELEMENT)
        required.append(GRANULARITY)
    if operation is not TelemetryOperation.DELETE:
        allowed.append(VALUE)
        required.append(VALUE)
        required += [ELEMENT] if kind is StreamKind.ALLOCATION else []
        if kind is StreamKind.ALLOCATION and settings.allocation_filter is AllocationFilter.REQUIRED:
            required.append(KEYS_FIELD[kind])
    return allowed, required
