"""What CloudZero has not published about telemetry, as settings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cloudzero_provider.sandbox.settings.access import RetryAfter
from cloudzero_provider.sandbox.settings.fields import Permission, at_least, one_of


class KeySetPerStream(Enum):
    """What has to share one set of filter keys."""

    PER_REQUEST = "per_request"
    FIXED = "fixed"


class BatchAtomicity(Enum):
    """What a request with good and bad records stores."""

    ALL_OR_NOTHING = "all_or_nothing"
    STORES_GOOD_RECORDS = "stores_good_records"


class UnknownFields(Enum):
    """What happens to fields that a record's schema does not list."""

    REFUSE = "refuse"
    IGNORE = "ignore"
    ACCEPT = "accept"


class ValueForm(Enum):
    """How ``value`` may be written."""

    BOTH = "both"
    NUMBER = "number"
    STRING = "string"


class DuplicatesInReplace(Enum):
    """What two records of one identity in one replace do."""

    LAST = "last"
    SUM = "sum"
    REFUSE = "refuse"


class FilterValueOrder(Enum):
    """Whether two filters with the same values in another order are two."""

    IGNORED = "ignored"
    SIGNIFICANT = "significant"


class DeleteMatch(Enum):
    """Which records a delete with some keys finds."""

    CONTAINS = "contains"
    EXACT = "exact"


class ReplaceMatch(Enum):
    """Which records a replace takes the place of."""

    IDENTITY = "identity"
    PROPERTIES = "properties"


class UnknownStreamRead(Enum):
    """How a read of a stream that is not there is answered."""

    NOT_FOUND = "404"
    EMPTY = "200_empty"
    BAD_REQUEST = "400"
    FORBIDDEN = "403"


class RecordsWrapper(Enum):
    """The key around records that are read; ``list`` has none, ``nested`` has two."""

    RECORDS = "records"
    DATA = "data"
    LIST = "list"
    TELEMETRY_RECORDS = "telemetry_records"
    ITEMS = "items"
    RESULTS = "results"
    TELEMETRY = "telemetry"
    NESTED = "nested"


class RecordsTimestamp(Enum):
    """How records that are read spell a time; ``date`` does so where the time of day says nothing."""

    OFFSET = "offset"
    Z = "z"
    NAIVE = "naive"
    BLANK = "blank"
    DATE = "date"


class RecordsStatus(Enum):
    """How the stream's status stands beside records that are read."""

    NONE = "none"
    WORD = "word"
    LOWER_CASE = "lower_case"


class TelemetrySuccessBody(Enum):
    """What the reply to accepted records has in it."""

    EMPTY = "empty"
    TEXT = "text"
    HTML = "html"
    JSON = "json"
    JSON_LIST = "json_list"
    JSON_TEXT = "json_text"
    JSON_NULL = "json_null"


class TelemetrySuccessStatus(Enum):
    """The status of accepted records; documented are 201 for a delete and 200 for all else."""

    DOCUMENTED = "documented"
    OK = "200"
    CREATED = "201"
    ACCEPTED = "202"
    NON_AUTHORITATIVE = "203"
    NO_CONTENT = "204"


class DeleteStreamWithData(Enum):
    """Whether a stream that has records is deleted just like that."""

    NEEDS_FORCE = "needs_force"
    ALLOWED = "allowed"


@dataclass(frozen=True)
class TelemetrySettings:
    """
    The settings of telemetry. The defaults follow what is documented and else the stricter reading.

    Records: https://docs.cloudzero.com/docs/telemetry-send-via-api
    Endpoints: https://docs.cloudzero.com/reference/summetrictelemetry and its siblings

    ``telemetry_body_limit``: bytes of the body ("5 MB"). ``telemetry_body_limit_status``: of a larger one.
    ``telemetry_rate``: records per second (documented: 100), 0 for no limit, with a
    ``telemetry_burst`` (documented: one day's worth, which a sandbox has when it starts). Beyond it:
    ``telemetry_throttle_status``, with a ``Retry-After`` as ``telemetry_retry_after`` says.
    ``key_set_per_stream``: the newest page wants one key set per request; older ones say that the first
    request fixes it for the stream.
    ``unknown_dimensions``: keys that are no dimensions, separated by commas.
    ``batch_atomicity``: whether a request with a bad record stores its good ones (and is refused as well).
    ``unknown_fields``: fields of a record that the schema does not list. Those accepted are shown by the read
    of submitted records and are part of nothing else.
    ``value_form``: the schema has numbers, the guide's examples have numeric strings.
    ``future_days``: how far ahead of now a timestamp may be. "Too far into the future" is refused; one day is
    room for every time zone, and what is measured lies in the past.
    ``empty_records``: ``records: []``, which the schema allows, though nothing can be done with it.
    ``duplicates_in_replace``: two records of one identity in one replace.
    ``allocation_replace_creates``: whether a replace creates an allocation stream; the pages say both.
    ``filter_value_order``: a key's values are alternatives, so their order says nothing.
    ``delete_match``: whether a delete with keys finds the records that have these keys, or only these.
    ``replace_match``: whether a record replaces the one of its timestamp, element and keys (``identity``), or every
    record of its timestamp and element that has its keys, whatever others it has (``properties``): "any data ... that
    matches the supplied properties (timestamp is minimally required)". Without keys, that is all of them.
    ``submitted_after_seconds``, ``processed_after_seconds``: until sent records show in the two reads.
    ``unknown_stream_read``: the reply to a read of a stream that is not there.
    ``records_wrapper``, ``records_timestamp``: the shape of records that are read.
    ``records_status``: whether the stream's status is read with them, under ``status``; nobody has published that
    it is. A list without a wrapper has no room for it.
    ``invalid_streams``: names, separated by commas, of streams with a target dimension that is missing or broken.
    That is published, and no answer to find out: their records are received and processed as those of the others.
    ``telemetry_success_body``, ``telemetry_success_status``: the reply to accepted records.
    ``delete_stream_with_data``: the newest page has a boolean in the body for it (here ``force``).
    ``unknown_stream_delete_status``: the reply to deleting a stream that is not there.
    ``deleted_name_seconds``: how long a deleted stream's name is blocked ("several minutes").
    """

    telemetry_body_limit: int = at_least(1, 5_000_000)
    telemetry_body_limit_status: int = one_of(413, 400)
    telemetry_rate: float = at_least(0, 100.0)
    telemetry_burst: int = at_least(1, 8_640_000)
    telemetry_throttle_status: int = one_of(429, 503)
    telemetry_retry_after: RetryAfter = RetryAfter.SECONDS
    key_set_per_stream: KeySetPerStream = KeySetPerStream.PER_REQUEST
    unknown_dimensions: str = ""
    batch_atomicity: BatchAtomicity = BatchAtomicity.ALL_OR_NOTHING
    unknown_fields: UnknownFields = UnknownFields.REFUSE
    value_form: ValueForm = ValueForm.BOTH
    future_days: float = at_least(0, 1.0)
    empty_records: Permission = Permission.REFUSE
    duplicates_in_replace: DuplicatesInReplace = DuplicatesInReplace.LAST
    allocation_replace_creates: Permission = Permission.ACCEPT
    filter_value_order: FilterValueOrder = FilterValueOrder.IGNORED
    delete_match: DeleteMatch = DeleteMatch.CONTAINS
    replace_match: ReplaceMatch = ReplaceMatch.IDENTITY
    submitted_after_seconds: float = at_least(0, 0.0)
    processed_after_seconds: float = at_least(0, 2.0)
    unknown_stream_read: UnknownStreamRead = UnknownStreamRead.NOT_FOUND
    records_wrapper: RecordsWrapper = RecordsWrapper.RECORDS
    records_timestamp: RecordsTimestamp = RecordsTimestamp.OFFSET
    records_status: RecordsStatus = RecordsStatus.NONE
    invalid_streams: str = ""
    telemetry_success_body: TelemetrySuccessBody = TelemetrySuccessBody.EMPTY
    telemetry_success_status: TelemetrySuccessStatus = TelemetrySuccessStatus.DOCUMENTED
    delete_stream_with_data: DeleteStreamWithData = DeleteStreamWithData.NEEDS_FORCE
    unknown_stream_delete_status: int = one_of(400, 404, 200)
    deleted_name_seconds: float = at_least(0, 300.0)
