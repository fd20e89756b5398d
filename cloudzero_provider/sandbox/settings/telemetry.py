"""Settings for telemetry, where CloudZero's behavior is not published."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cloudzero_provider.sandbox.settings.access import RetryAfter
from cloudzero_provider.sandbox.settings.fields import Permission, at_least, one_of


class KeySetPerStream(Enum):
    """What must share one set of filter keys."""

    PER_REQUEST = "per_request"
    FIXED = "fixed"


class BatchAtomicity(Enum):
    """What is stored of a request with valid and invalid records."""

    ALL_OR_NOTHING = "all_or_nothing"
    STORES_GOOD_RECORDS = "stores_good_records"


class UnknownFields(Enum):
    """What happens to fields that are not in a record's schema."""

    REFUSE = "refuse"
    IGNORE = "ignore"
    ACCEPT = "accept"


class ValueForm(Enum):
    """The accepted forms of ``value``."""

    BOTH = "both"
    NUMBER = "number"
    STRING = "string"


class DuplicatesInReplace(Enum):
    """What happens to two records of one identity in one replace."""

    LAST = "last"
    SUM = "sum"
    REFUSE = "refuse"


class FilterValueOrder(Enum):
    """Whether filters with the same values in another order are different."""

    IGNORED = "ignored"
    SIGNIFICANT = "significant"


class DeleteMatch(Enum):
    """Which records a delete with keys matches."""

    CONTAINS = "contains"
    EXACT = "exact"


class ReplaceMatch(Enum):
    """Which records a replace matches."""

    IDENTITY = "identity"
    PROPERTIES = "properties"


class UnknownStreamRead(Enum):
    """The reply to a read of an unknown stream."""

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
    """The format of a time in records that are read; ``date`` omits midnight."""

    OFFSET = "offset"
    Z = "z"
    NAIVE = "naive"
    BLANK = "blank"
    DATE = "date"


class RecordsStatus(Enum):
    """The form of the stream's status in the reply with its records."""

    NONE = "none"
    WORD = "word"
    LOWER_CASE = "lower_case"


class TelemetrySuccessBody(Enum):
    """The body of the reply to accepted records."""

    EMPTY = "empty"
    TEXT = "text"
    HTML = "html"
    JSON = "json"
    JSON_LIST = "json_list"
    JSON_TEXT = "json_text"
    JSON_NULL = "json_null"


class TelemetrySuccessStatus(Enum):
    """The status of the reply to accepted records; documented are 201 for a delete and 200 otherwise."""

    DOCUMENTED = "documented"
    OK = "200"
    CREATED = "201"
    ACCEPTED = "202"
    NON_AUTHORITATIVE = "203"
    NO_CONTENT = "204"


class DeleteStreamWithData(Enum):
    """Whether deleting a stream that has records requires ``force``."""

    NEEDS_FORCE = "needs_force"
    ALLOWED = "allowed"


@dataclass(frozen=True)
class TelemetrySettings:
    """
    Settings for telemetry. The defaults follow the documentation, or the stricter reading where it leaves a choice.

    Records: https://docs.cloudzero.com/docs/telemetry-send-via-api
    Endpoints: https://docs.cloudzero.com/reference/summetrictelemetry and its siblings

    ``telemetry_body_limit``: bytes of the body ("5 MB"). ``telemetry_body_limit_status``: the reply to a larger one.
    ``telemetry_rate``: records per second (documented: 100), 0 for no limit, with a
    ``telemetry_burst`` (documented: one day's worth, which is available when a sandbox starts). Beyond it, the reply is
    ``telemetry_throttle_status`` with ``Retry-After`` as in ``telemetry_retry_after``.
    ``key_set_per_stream``: the newest page requires one key set per request; older ones say that the first
    request fixes it for the stream.
    ``unknown_dimensions``: keys that are not valid dimensions, separated by commas.
    ``batch_atomicity``: whether a request with an invalid record stores its valid ones (and is still refused).
    ``unknown_fields``: fields of a record that are not in the schema. Accepted ones appear only in the read of
    submitted records.
    ``value_form``: the schema has numbers, the guide's examples have numeric strings.
    ``future_days``: how far in the future a timestamp may be. "Too far into the future" is refused; one day
    covers every time zone.
    ``empty_records``: ``records: []``, which the schema allows, although such a request has no effect.
    ``duplicates_in_replace``: two records of one identity in one replace.
    ``allocation_replace_creates``: whether a replace creates an allocation stream; the pages contradict each other.
    ``filter_value_order``: a key's values are alternatives, so their order has no meaning.
    ``delete_match``: whether a delete with keys matches records that have at least these keys, or exactly these.
    ``replace_match``: whether a record replaces the one with its timestamp, element and keys (``identity``), or every
    record with its timestamp and element that has at least its keys (``properties``): "any data ... that
    matches the supplied properties (timestamp is minimally required)". Without keys, all of them match.
    ``submitted_after_seconds``, ``processed_after_seconds``: seconds until sent records appear in the two reads.
    ``unknown_stream_read``: the reply to a read of an unknown stream.
    ``records_wrapper``, ``records_timestamp``: the form of records that are read.
    ``records_status``: whether the reply includes the stream's status under ``status``; no page documents it. A list
    without a wrapper has no status.
    ``invalid_streams``: names, separated by commas, of streams whose target dimension is missing or broken. CloudZero
    documents this status, but no reply that shows it: records are received and processed as usual.
    ``telemetry_success_body``, ``telemetry_success_status``: the reply to accepted records.
    ``delete_stream_with_data``: whether this requires the boolean ``force``.
    ``unknown_stream_delete_status``: the reply to deleting an unknown stream.
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
