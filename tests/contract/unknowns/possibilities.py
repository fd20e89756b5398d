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
    "The key and how often it may send": (
        both("The status for a wrong key or a missing scope; 403 is documented", "denied_status"),
        both("Whether `Bearer` before the key is taken; the provider sends the bare key", "bearer"),
        both("What `cloudzero-test-key` does on these paths; the provider never sends it", "test_key"),
        drops("Whether AnyCost has a limit on requests", "anycost_rate", 4),
        drops("How many AnyCost requests may come at once", "anycost_burst", 3, anycost_rate=4),
        drops("What is answered beyond that", "anycost_throttle_status", anycost_rate=SLOW_RATE),
        drops("Whether AnyCost says `Retry-After`", "anycost_retry_after", anycost_rate=4),
        telemetry(
            "The limit on telemetry: documented are 100 records per second", "telemetry_rate", 20, telemetry_burst=5
        ),
        telemetry(
            "How many records may come at once; documented is a day's worth", "telemetry_burst", 5, telemetry_rate=20
        ),
        telemetry("What is answered beyond that", "telemetry_throttle_status", telemetry_rate=20, telemetry_burst=5),
        telemetry(
            "Whether telemetry says `Retry-After`", "telemetry_retry_after", telemetry_rate=20, telemetry_burst=5
        ),
        both("What these limits are over", "rate_scope", anycost_rate=4, telemetry_rate=20, telemetry_burst=5),
        both("How long a body may take to arrive, and a reply to be taken", "client_timeout_seconds", 5, 0),
        both("What a key that is twice in one JSON object does; the provider sends none", "duplicate_json_keys"),
    ),
    "Sending a billing drop": (
        drops("How `month` is spelled: the guide has `2026-03`, the schema a datetime", "month_format"),
        drops("Whether `month` may be a date; the provider sends `2026-03`", "month_dates"),
        drops("How a row's times are spelled; the provider sends the schema's form", "cbf_times"),
        drops("Whether a drop may have members that the schema does not; the provider's has none", "unknown_members"),
        drops("What `k8s/labels` may hold: the guide has JSON in text, the schema any text", "labels"),
        drops("How many bytes 5 MB are", "body_limit", 5_242_880),
        drops(
            "The answer to a request while another one runs on the stream; 200 carries both out", "concurrent_status"
        ),
        drops("Whether reading counts as another request", "concurrent_scope"),
        drops("Whether negative numbers are taken; the schema has none, the guide requires them", "negative_numbers"),
        drops("Whether line item types are taken that only the guide has", "guide_only_lineitem_types"),
        drops("What becomes of columns that the schema does not have", "unknown_columns"),
        drops("Whether a number may be blank; the provider leaves it out", "blank_numbers"),
        drops("Whether a tag may be blank; the provider leaves it out", "blank_tags"),
        drops("Which letters a tag's key may have", "tag_key_letters"),
        drops("What a drop without rows does", "empty_data"),
        drops("How validation tells about a drop that breaks a rule", "validate_reply"),
        drops("Whether a body may be gzipped; the provider's is not", "gzip"),
        drops("Whether other content types are taken; the provider's is JSON", "content_type"),
        drops("The answer for a stream that is not there", "unknown_connection_status"),
        drops("How long an idempotency key is kept; the provider sends none", "idempotency_seconds", 60),
        drops("How many rows a month may have; documented is a million", "month_row_limit", 60),
        drops("How many bytes a month may have; documented are 70 MB", "month_byte_limit", 100_000),
    ),
    "CloudZero's answers to billing drops": (
        drops("The status of success", "success_status"),
        drops("What the answer to an accepted drop has in it", "success_body"),
        drops("The key around an accepted drop", "drop_wrapper", success_body="other_wrapper"),
        drops("What `row_count` counts", "row_count_means"),
        drops("How `row_count` is written", "row_count_form"),
        drops("How a month is spelled in answers", "reply_month"),
        drops("The key around the list of drops", "list_wrapper"),
        drops("The key around a month's rows", "contents_wrapper"),
        drops("Whether a month's rows have numbers as text", "contents_numbers"),
        drops("How late reads show what was sent", "read_lag_seconds", 2),
    ),
    "Sending telemetry": (
        telemetry("How many bytes 5 MB are", "telemetry_body_limit", 5_242_880),
        telemetry("The status for a larger body", "telemetry_body_limit_status", telemetry_body_limit=4_000_000),
        telemetry("How many records a request may have", "telemetry_record_limit", 10_000, 3_000, 1_000),
        telemetry("Whether `value` is a number or a text", "value_form"),
        telemetry("What a value of zero does; the provider sends none", "zero_values"),
        telemetry("How far ahead a timestamp may be", "future_days", 0, 400),
        telemetry("How far back a timestamp may be", "past_days", 36_500, 1),
        telemetry("What a time without an offset means; the provider sends UTC", "naive_timestamps"),
        telemetry("Which forms of ISO 8601 a time may have; the provider sends the extended one", "telemetry_times"),
        telemetry("Whether a filter's key may have no values; the provider sends none", "empty_filter_values"),
        telemetry("Whether an `element_name` may be blank; the provider sends none", "blank_element_names"),
        telemetry("Whether a metric's record may say its granularity", "metric_granularity"),
        telemetry("Whether an allocation's record needs a `filter`", "allocation_filter"),
        telemetry("Whether `replace` makes an allocation stream", "allocation_replace_creates"),
        telemetry("Whether a stream's set of keys is fixed by its first records", "key_set_per_stream"),
        telemetry("Names of dimensions that CloudZero does not know", "unknown_dimensions", "custom:Team"),
        telemetry("Whether the order of a filter's values says anything", "filter_value_order"),
        telemetry(
            "What two records of one identity in a `replace` do; the provider sends none", "duplicates_in_replace"
        ),
        telemetry("Whether a batch with a bad record is stored in part", "batch_atomicity"),
        telemetry("What becomes of fields that the schema does not have; the provider sends none", "unknown_fields"),
        telemetry("Whether a request may have no records; the provider's has some", "empty_records"),
        telemetry("Which records a deletion finds", "delete_match"),
        telemetry(
            "Which records a `replace` replaces: those of the same period, element and keys, or also those with more keys",
            "replace_match",
        ),
        telemetry("Whether names of streams tell capital letters apart", "stream_name_case"),
        telemetry("Where the parameter stands that deletes a stream with data", "force_parameter"),
        telemetry("Whether a stream with data needs that parameter", "delete_stream_with_data"),
        telemetry("The answer to deleting a stream that is not there", "unknown_stream_delete_status"),
        telemetry("How long a deleted stream's name can't be used", "deleted_name_seconds", 0, 3600),
    ),
    "CloudZero's answers to telemetry": (
        telemetry("The status of success", "telemetry_success_status"),
        telemetry("What the answer to accepted records has in it", "telemetry_success_body"),
        telemetry("The answer to reading a stream that is not there", "unknown_stream_read"),
        telemetry("The key around records that are read", "records_wrapper"),
        telemetry("How records that are read spell times", "records_timestamp"),
        telemetry("How records that are read spell the names of fields", "records_field_names"),
        telemetry("How records that are read write values", "records_value"),
        telemetry("Whether the stream's status is read with them", "records_status"),
        telemetry("How late records are shown as submitted", "submitted_after_seconds", 0.5),
        telemetry("How late records are shown as processed", "processed_after_seconds", 1),
        telemetry(
            "A stream that is `Invalid`, where answers say the status",
            "invalid_streams",
            "Orders-per.team",
            records_status="word",
        ),
    ),
}

#: Questions that no answer of CloudZero's settles, or that are none of a setting: each with why.
WITHOUT_SETTING = {
    "Whether CloudZero will publish a stream's status": "It would be another endpoint; until there is one, the status "
    "is derived from the records that CloudZero shows.",
    "Whether a request without an answer was stored": "Each of both happens in the journeys: answers get lost after the "
    "request was applied, before it is, and with the request.",
    "What a task that died in the middle left behind": "A task that is run again waits until a lost request has settled, "
    "and sends everything again; with `sum`, see what is guaranteed.",
    "A month between the first and the last of its requests": "It is incomplete for as long; no answer of CloudZero's "
    "changes that.",
    "Hours that `replace_hourly` does not name": "They stay, as documented.",
    "Whether 5 MB count bytes or characters": "A request has at most as many characters as bytes, and the provider counts "
    "bytes.",
    "Whether CloudZero redirects to other hosts": "None is known; redirects are not followed, and the key is not sent "
    "on.",
    "How dimensions are spelled": "That is each organization's own matter; a name that CloudZero does not know is refused "
    "(above).",
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
