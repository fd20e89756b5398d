"""What CloudZero has not published about single telemetry records and their streams, as settings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cloudzero_provider.sandbox.settings.fields import at_least


class ZeroValues(Enum):
    """What a value of zero does."""

    REFUSE = "refuse"
    ACCEPT = "accept"
    IGNORE = "ignore"


class NaiveTimestamps(Enum):
    """What a timestamp without an offset means; ``organization`` is five hours behind UTC."""

    UTC = "utc"
    ORGANIZATION = "organization"
    REFUSE = "refuse"


class MetricGranularity(Enum):
    """What the field ``granularity`` of a metric's record does."""

    VALIDATE = "validate"
    IGNORE = "ignore"
    REFUSE = "refuse"


class AllocationFilter(Enum):
    """Whether an allocation's record may go without ``filter``."""

    OPTIONAL = "optional"
    REQUIRED = "required"


class RecordsFieldNames(Enum):
    """How records that are read spell their fields' names."""

    UNDERSCORE = "underscore"
    HYPHEN = "hyphen"


class RecordsValue(Enum):
    """How records that are read write their values."""

    NUMBER = "number"
    STRING = "string"


class StreamNameCase(Enum):
    """Whether names that differ in capital letters alone are two streams."""

    SENSITIVE = "sensitive"
    FOLDED = "folded"


class ForceParameter(Enum):
    """Where the parameter stands that deletes a stream with data."""

    BODY = "body"
    QUERY = "query"
    ABSENT = "absent"


@dataclass(frozen=True)
class RecordSettings:
    """
    The settings of records and streams.

    https://docs.cloudzero.com/docs/telemetry-send-via-api

    ``telemetry_record_limit``: records per request, 0 for no limit (none is documented beside that of the body).
    ``zero_values``: the schema wants more than 0; a zero may also be taken, or left out without a word.
    ``past_days``: how far back a timestamp may be, 0 for no limit; none is documented.
    ``naive_timestamps``: what a timestamp without an offset means.
    ``metric_granularity``: one page has the field for metrics, another has not.
    ``allocation_filter``: the schema requires the field, the newest page does not.
    ``records_field_names``, ``records_value``: of records that are read; of both spellings there are examples.
    ``stream_name_case``: whether capital letters tell streams apart.
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
