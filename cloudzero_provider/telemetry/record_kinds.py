"""The two kinds of telemetry records, as data (https://docs.cloudzero.com/docs/send-via-api)."""

from __future__ import annotations

from dataclasses import dataclass

from cloudzero_provider.client.telemetry import StreamType

SEND_PAGE = "https://docs.cloudzero.com/docs/send-via-api"

#: Filter keys of one record, and values of one key.
MAX_KEYS = 5
MAX_VALUES_PER_KEY = 20
#: Number of significant digits of a value that CloudZero keeps.
SIGNIFICANT_DIGITS = 15

#: Granularity → what is cut off a timestamp, as arguments of ``datetime.replace``.
CUT = {
    "HOURLY": {"minute": 0, "second": 0, "microsecond": 0},
    "DAILY": {"hour": 0, "minute": 0, "second": 0, "microsecond": 0},
    "MONTHLY": {"day": 1, "hour": 0, "minute": 0, "second": 0, "microsecond": 0},
}


@dataclass(frozen=True)
class RecordKind:
    """
    A kind of records.

    :param stream_type: of the streams they go to.
    :param keys_field: the field that scopes a record to a part of the spend.
    :param granularities: that its streams can have.
    :param has_element: whether each record applies to an element.
    :param lists_values: whether a filter key has a list of values, or one string.
    """

    stream_type: StreamType
    keys_field: str
    granularities: tuple[str, ...]
    has_element: bool
    lists_values: bool

    @property
    def fields(self) -> tuple[str, ...]:
        """All fields that a record may have, in the order in which they are sent."""
        element = ("element_name",) if self.has_element else ()
        return ("timestamp", "value", "granularity", *element, self.keys_field)


KINDS = {
    StreamType.METRIC: RecordKind(StreamType.METRIC, "associated_cost", ("DAILY", "MONTHLY"), False, False),
    StreamType.ALLOCATION: RecordKind(StreamType.ALLOCATION, "filter", ("HOURLY", "DAILY", "MONTHLY"), True, True),
}
