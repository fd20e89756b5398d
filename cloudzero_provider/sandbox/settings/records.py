"""Settings for telemetry records and their streams, where CloudZero's behavior is not published."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cloudzero_provider.sandbox.settings.fields import at_least


class ZeroValues(Enum):
    """What happens to a value of zero."""

    REFUSE = "refuse"
    ACCEPT = "accept"
    IGNORE = "ignore"


class NaiveTimestamps(Enum):
    """What a timestamp without an offset means; ``organization`` is five hours behind UTC."""

    UTC = "utc"
    ORGANIZATION = "organization"
    REFUSE = "refuse"


class MetricGranularity(Enum):
    """What happens to the field ``granularity`` in a metric's record."""

    VALIDATE = "validate"
    IGNORE = "ignore"
    REFUSE = "refuse"


class AllocationFilter(Enum):
    """Whether an allocation's record may omit ``filter``."""

    OPTIONAL = "optional"
    REQUIRED = "required"


class RecordsFieldNames(Enum):
    """The form of field names in records that are read."""

    UNDERSCORE = "underscore"
    HYPHEN = "hyphen"


class RecordsValue(Enum):
    """The form of values in records that are read."""

    NUMBER = "number"
    STRING = "string"


class StreamNameCase(Enum):
    """Whether names that differ only in case are different streams."""

    SENSITIVE = "sensitive"
    FOLDED = "folded"


class ForceParameter(Enum):
    """Where the parameter is sent that deletes a stream with data."""

    BODY = "body"
    QUERY = "query"
    ABSENT = "absent"


@dataclass(frozen=True)
class RecordSettings:
    """
    Settings for telemetry records and streams.

    https://docs.cloudzero.com/docs/telemetry-send-via-api

    ``telemetry_record_limit``: records per request, 0 for no limit (only the body's limit is documented).
    ``zero_values``: the schema requires more than 0; a zero may also be accepted, or ignored without an error.
    ``past_days``: how far back a timestamp may be, 0 for no limit; none is documented.
    ``naive_timestamps``: what a timestamp without an offset means.
    ``metric_granularity``: one page has the field for metrics, another does not.
    ``allocation_filter``: the schema requires the field, the newest page does not.
    ``records_field_names``, ``records_value``: in records that are read; both forms appear in examples.
    ``stream_name_case``: whether names that differ only in case are different streams.
    ``force_parameter``: the newest page has a boolean in the body; its name is not published (here ``force``).
    """

    telemetry_record_limit: int = at_least(0, 0)
    zero_values: ZeroValues = ZeroValues.REFUSE
    past_days: float = at_least(0, 0.0)
    naive_timestamps: NaiveTimestamps = NaiveTimestamps.UTC
    metric_granularity: MetricGranularity = MetricGranularity.VALIDATE
    allocation_filter: AllocationFilter = AllocationFilter.OPTIONAL
    records_field_names: RecordsFieldNames = RecordsFieldNames.UNDERSCORE
    records_value: RecordsValue = RecordsValue.NUMBER
    stream_name_case: StreamNameCase = StreamNameCase.SENSITIVE
    force_parameter: ForceParameter = ForceParameter.BODY
