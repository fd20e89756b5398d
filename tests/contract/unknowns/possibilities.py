"""What CloudZero has not published, by what it is about, and every answer that may turn out right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from contract.unknowns.journeys import SLOW_RATE

from cloudzero_provider.sandbox.settings.all_settings import Settings, possible_values

DROPS, TELEMETRY = "drops", "telemetry"
Values = dict[str, Any]


@dataclass(frozen=True)
class Unknown:
    """
    A question that CloudZero's documentation leaves open.

    :param question: for the page.
    :param setting: of the sandbox.
    :param journeys: on which it can matter.
    :param values: where the sandbox takes any number or text: those that are tried.
    :param also: settings without which it says nothing.
    """

    question: str
    setting: str
    journeys: tuple[str, ...]
    values: tuple[Any, ...] = ()
    also: tuple[tuple[str, Any], ...] = ()

    def possibilities(self) -> list[Values]:
        """Each value; the default only where it says nothing without other settings."""
        listed = possible_values()[self.setting]
        values = list(listed) if isinstance(listed, list) else list(self.values)
        default = Settings().as_json()[self.setting]
        return [{**dict(self.also), self.setting: value} for value in values if self.also or value != default]


def _of(*journeys: str) -> Any:
    def made(question: str, setting: str, *values: Any, **also: Any) -> Unknown:
        return Unknown(question, setting, journeys, values, tuple(also.items()))

    return made


drops, telemetry, both = _of(DROPS), _of(TELEMETRY), _of(DROPS, TELEMETRY)

AREAS: dict[str, tuple[Unknown, ...]] = {
    "Keys and rate limits": (
        both("The status for a wrong key or a missing scope; 403 is documented", "denied_status"),
        both("Whether `Bearer` before the key is accepted; the provider sends the bare key", "bearer"),
        both("What the header `cloudzero-test-key` does on these paths; the provider never sends it", "test_key"),
        drops("Whether AnyCost has a rate limit", "anycost_rate", 4),
        drops("How many AnyCost requests may come in a burst", "anycost_burst", 3, anycost_rate=4),
        drops("The status beyond that", "anycost_throttle_status", anycost_rate=SLOW_RATE),
        drops("Whether AnyCost sends `Retry-After`", "anycost_retry_after", anycost_rate=4),
        telemetry(
            "The telemetry rate limit; 100 records per second are documented", "telemetry_rate", 20, telemetry_burst=5
        ),
        telemetry(
            "How many records may come in a burst; one day's worth is documented",
            "telemetry_burst",
            5,
            telemetry_rate=20,
        ),
        telemetry("The status beyond that", "telemetry_throttle_status", telemetry_rate=20, telemetry_burst=5),
        telemetry(
            "Whether telemetry sends `Retry-After`", "telemetry_retry_after", telemetry_rate=20, telemetry_burst=5
        ),
        both("What these limits apply to", "rate_scope", anycost_rate=4, telemetry_rate=20, telemetry_burst=5),
        both("How long a body may take to arrive, and a client to read the reply", "client_timeout_seconds", 5, 0),
        both("What a duplicate key in a JSON object does; the provider sends none", "duplicate_json_keys"),
    ),
    "Sending a billing drop": (
        drops("The format of `month`: the guide has `2026-03`, the schema a datetime", "month_format"),
        drops("Whether `month` may be a date; the provider sends `2026-03`", "month_dates"),
        drops("The formats of a row's times; the provider sends the schema's", "cbf_times"),
        drops(
            "Whether a drop may have members that the schema does not list; the provider sends none", "unknown_members"
        ),
        drops("What `k8s/labels` may hold: the guide requires a string of JSON, the schema any string", "labels"),
        drops("How many bytes are 5 MB", "body_limit", 5_242_880),
        drops("The status for a request while another one runs on the stream; 200 applies both", "concurrent_status"),
        drops("Whether reads count as requests here", "concurrent_scope"),
        drops(
            "Whether negative numbers are accepted; the schema has none, the guide requires them", "negative_numbers"
        ),
        drops("Whether line item types that only the guide has are accepted", "guide_only_lineitem_types"),
        drops("What happens to columns that the schema does not list", "unknown_columns"),
        drops("Whether a number may be blank; the provider leaves it out", "blank_numbers"),
        drops("Whether a tag may be blank; the provider leaves it out", "blank_tags"),
        drops("Which letters a tag's key may have", "tag_key_letters"),
        drops("What a drop without rows does", "empty_data"),
        drops("How validation reports a drop that breaks a rule", "validate_reply"),
        drops("Whether a body may be gzipped; the provider sends it plain", "gzip"),
        drops("Whether other content types are accepted; the provider sends JSON", "content_type"),
        drops("The status for an unknown stream", "unknown_connection_status"),
        drops("How long an idempotency key is kept; the provider sends none", "idempotency_seconds", 60),
        drops("How many rows a month may have; one million is documented", "month_row_limit", 60),
        drops("How many bytes a month may have; 70 MB are documented", "month_byte_limit", 100_000),
    ),
    "CloudZero's replies to billing drops": (
        drops("The status of success", "success_status"),
        drops("The body of the reply to an accepted drop", "success_body"),
        drops("The key around an accepted drop", "drop_wrapper", success_body="other_wrapper"),
        drops("What `row_count` counts", "row_count_means"),
        drops("The form of `row_count`", "row_count_form"),
        drops("The format of a month in replies", "reply_month"),
        drops("The key around the list of drops", "list_wrapper"),
        drops("The key around a month's rows", "contents_wrapper"),
        drops("Whether numbers in a month's rows are strings", "contents_numbers"),
        drops("How many seconds reads lag behind writes", "read_lag_seconds", 2),
    ),
    "Sending telemetry": (
        telemetry("How many bytes are 5 MB", "telemetry_body_limit", 5_242_880),
        telemetry("The status for a larger body", "telemetry_body_limit_status", telemetry_body_limit=4_000_000),
        telemetry("How many records a request may have", "telemetry_record_limit", 10_000, 3_000, 1_000),
        telemetry("Whether `value` is a number or a string", "value_form"),
        telemetry("What a value of zero does; the provider sends none", "zero_values"),
        telemetry("How far ahead a timestamp may be", "future_days", 0, 400),
        telemetry("How far back a timestamp may be", "past_days", 36_500, 1),
        telemetry("What a time without an offset means; the provider sends UTC", "naive_timestamps"),
        telemetry("Which formats of ISO 8601 a time may have; the provider sends the extended one", "telemetry_times"),
        telemetry("Whether a filter key may have no values; the provider always sends some", "empty_filter_values"),
        telemetry(
            "Whether an `element_name` may be blank; the provider never sends a blank one", "blank_element_names"
        ),
        telemetry("Whether a metric's record may have a granularity", "metric_granularity"),
        telemetry("Whether an allocation's record requires a `filter`", "allocation_filter"),
        telemetry("Whether `replace` creates an allocation stream", "allocation_replace_creates"),
        telemetry("Whether a stream's first records fix its set of filter keys", "key_set_per_stream"),
        telemetry("Dimensions that CloudZero does not know", "unknown_dimensions", "custom:Team"),
        telemetry("Whether the order of a filter's values matters", "filter_value_order"),
        telemetry(
            "What two records of one identity in a `replace` do; the provider sends none", "duplicates_in_replace"
        ),
        telemetry("Whether the good records of a batch with a bad one are stored", "batch_atomicity"),
        telemetry("What happens to fields that the schema does not list; the provider sends none", "unknown_fields"),
        telemetry("Whether a request may have no records; the provider always sends some", "empty_records"),
        telemetry("Which records a deletion matches", "delete_match"),
        telemetry(
            "Which records a `replace` replaces: those of the same period, element and keys, or also those with more keys",
            "replace_match",
        ),
        telemetry("Whether stream names are case-sensitive", "stream_name_case"),
        telemetry("Where the parameter that deletes a stream with data is sent", "force_parameter"),
        telemetry("Whether deleting a stream with data requires that parameter", "delete_stream_with_data"),
        telemetry("The status for deleting an unknown stream", "unknown_stream_delete_status"),
        telemetry("How long a deleted stream's name stays blocked", "deleted_name_seconds", 0, 3600),
    ),
    "CloudZero's replies to telemetry": (
        telemetry("The status of success", "telemetry_success_status"),
        telemetry("The body of the reply to accepted records", "telemetry_success_body"),
        telemetry("The status for reading an unknown stream", "unknown_stream_read"),
        telemetry("The key around records that are read", "records_wrapper"),
        telemetry("The format of times in records that are read", "records_timestamp"),
        telemetry("The form of field names in records that are read", "records_field_names"),
        telemetry("The form of values in records that are read", "records_value"),
        telemetry("Whether reads include the stream's status", "records_status"),
        telemetry("How many seconds until records appear as submitted", "submitted_after_seconds", 0.5),
        telemetry("How many seconds until records appear as processed", "processed_after_seconds", 1),
        telemetry(
            "A stream that is `Invalid`, if replies include the status",
            "invalid_streams",
            "Orders-per.team",
            records_status="word",
        ),
    ),
}

#: Questions that no answer of CloudZero's settles, or that are none of a setting: each with why.
WITHOUT_SETTING = {
    "Whether CloudZero will publish a stream's status": "It would be another endpoint; until then, the status "
    "is derived from the records that CloudZero shows.",
    "Whether a request without a reply was applied": "The journeys have both: replies are lost after the "
    "request was applied and before, and requests are lost too.",
    "What a task that died between two requests left behind": "When it runs again, the task waits until a lost request has settled, "
    "and sends everything again; for `sum`, see what is guaranteed.",
    "A month between its first and its last request": "It is incomplete until the last; no reply of CloudZero's "
    "changes that.",
    "Hours without rows in a `replace_hourly`": "They stay unchanged, as documented.",
    "Whether 5 MB count bytes or characters": "A request has at most as many characters as bytes, and the provider counts "
    "bytes.",
    "Whether CloudZero redirects to other hosts": "None is known; redirects are not followed, and the key is not sent "
    "on.",
    "Names of dimensions": "Each organization has its own; a name that CloudZero does not know is refused (above).",
    "Whether what was sent is ingested": "CloudZero ingests every few hours and shows only on its own pages how that "
    "went; the sensors claim no more than that it was received.",
}

#: Possibilities that may have to do with each other. Each pair is two answers about the same moment of a journey:
#: a success that says little and a way to look after it, a limit and what is told about it, two rules on one record.
PAIRS: tuple[tuple[str, Values], ...] = (
    (DROPS, {"success_body": "empty", "row_count_form": "missing"}),
    (DROPS, {"success_body": "json_null", "list_wrapper": "nested"}),
    (DROPS, {"success_status": 204, "row_count_means": "request"}),
    (DROPS, {"success_status": 202, "read_lag_seconds": 2}),
    (DROPS, {"success_body": "other_json", "concurrent_status": 423}),
    (DROPS, {"concurrent_status": 429, "anycost_rate": 4}),
    (DROPS, {"concurrent_status": 503, "anycost_rate": SLOW_RATE, "anycost_throttle_status": 503}),
    (DROPS, {"concurrent_status": 500, "concurrent_scope": "writes"}),
    (DROPS, {"concurrent_status": 400, "concurrent_scope": "writes"}),
    (DROPS, {"concurrent_status": 200, "read_lag_seconds": 2}),
    (DROPS, {"row_count_means": "request", "read_lag_seconds": 2}),
    (DROPS, {"row_count_means": "request", "row_count_form": "text"}),
    (DROPS, {"empty_data": "ignored", "read_lag_seconds": 2}),
    (DROPS, {"empty_data": "refused", "validate_reply": "400"}),
    (DROPS, {"negative_numbers": "refuse", "validate_reply": "400"}),
    (DROPS, {"unknown_columns": "refuse", "guide_only_lineitem_types": "refuse"}),
    (DROPS, {"unknown_columns": "ignore", "contents_numbers": "number"}),
    (DROPS, {"list_wrapper": "none", "contents_wrapper": "none"}),
    (DROPS, {"reply_month": "year_month", "list_wrapper": "data"}),
    (DROPS, {"denied_status": 401, "unknown_connection_status": 403}),
    (TELEMETRY, {"batch_atomicity": "stores_good_records", "value_form": "string"}),
    (TELEMETRY, {"batch_atomicity": "stores_good_records", "future_days": 0}),
    (TELEMETRY, {"batch_atomicity": "stores_good_records", "metric_granularity": "refuse"}),
    (TELEMETRY, {"key_set_per_stream": "fixed", "allocation_filter": "required"}),
    (TELEMETRY, {"key_set_per_stream": "fixed", "delete_match": "exact"}),
    (TELEMETRY, {"filter_value_order": "significant", "duplicates_in_replace": "refuse"}),
    (TELEMETRY, {"allocation_replace_creates": "refuse", "unknown_stream_read": "403"}),
    (TELEMETRY, {"telemetry_throttle_status": 503, "telemetry_retry_after": "http_date", "telemetry_rate": 20, "telemetry_burst": 5}),
    (TELEMETRY, {"telemetry_throttle_status": 503, "telemetry_retry_after": "none", "telemetry_rate": 20, "telemetry_burst": 5}),
    (TELEMETRY, {"records_timestamp": "date", "records_value": "string"}),
    (TELEMETRY, {"records_wrapper": "nested", "records_field_names": "hyphen"}),
    (TELEMETRY, {"records_wrapper": "list", "records_timestamp": "naive"}),
    (TELEMETRY, {"records_status": "lower_case", "processed_after_seconds": 1}),
    (TELEMETRY, {"submitted_after_seconds": 1, "processed_after_seconds": 0.5}),
    (TELEMETRY, {"telemetry_success_status": "204", "unknown_stream_read": "200_empty"}),
    (TELEMETRY, {"stream_name_case": "folded", "records_status": "word"}),
    (TELEMETRY, {"zero_values": "ignore", "delete_match": "exact"}),
    (TELEMETRY, {"replace_match": "properties", "delete_match": "exact"}),
    (TELEMETRY, {"replace_match": "properties", "key_set_per_stream": "fixed"}),
    (TELEMETRY, {"replace_match": "properties", "duplicates_in_replace": "sum"}),
    (TELEMETRY, {"metric_granularity": "ignore", "records_value": "string"}),
)  # fmt: skip
