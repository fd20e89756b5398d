"""The two kinds of telemetry records and their rules (https://docs.cloudzero.com/docs/send-via-api)."""

from __future__ import annotations

from dataclasses import dataclass

from cloudzero_provider.client.telemetry import StreamType

SEND_PAGE = "https://docs.cloudzero.com/docs/send-via-api"

#: Most filter keys of a record.
MAX_KEYS = 5
#: Most values of a filter key.
MAX_VALUES_PER_KEY = 20
#: Significant digits that CloudZero keeps of a value.
SIGNIFICANT_DIGITS = 15

#: Granularity → arguments of ``datetime.replace`` that truncate a timestamp to it.
TRUNCATION = {
    "HOURLY": {"minute": 0, "second": 0, "microsecond": 0},
    "DAILY": {"hour": 0, "minute": 0, "second": 0, "microsecond": 0},
    "MONTHLY": {"day": 1, "hour": 0, "minute": 0, "second": 0, "microsecond": 0},
}


@dataclass(frozen=True)
class RecordKind:
    """
    A kind of telemetry record.

    :param stream_type: type of its streams.
    :param keys_field: the field with the filter keys.
    :param granularities: granularities that a stream can have.
    :param has_element: whether a record has an ``element_name``.
    :param lists_values: whether the value of a filter key is a list of strings, or one string.
    """

    stream_type: StreamType
    keys_field: str
    granularities: tuple[str, ...]
    has_element: bool
    lists_values: bool

    @property
    def fields(self) -> tuple[str, ...]:
        """All fields of a record, in the order in which they are sent."""
        element = ("element_name",) if self.has_element else ()
        return ("timestamp", "value", "granularity", *element, self.keys_field)


KINDS = {
    StreamType.METRIC: RecordKind(StreamType.METRIC, "associated_cost", ("DAILY", "MONTHLY"), False, False),
    StreamType.ALLOCATION: RecordKind(StreamType.ALLOCATION, "filter", ("HOURLY", "DAILY", "MONTHLY"), True, True),
}
