"""
Reading the body of a telemetry request.

https://docs.cloudzero.com/docs/telemetry-send-via-api and the record schemas of
https://docs.cloudzero.com/reference/summetrictelemetry and its siblings
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, NamedTuple

from cloudzero_provider.sandbox.common.json_text import NotJsonError, has_no_surrogates, parse_exact_json
from cloudzero_provider.sandbox.common.problems import Problems, shortened
from cloudzero_provider.sandbox.settings.fields import Permission
from cloudzero_provider.sandbox.settings.records import ZeroValues
from cloudzero_provider.sandbox.settings.telemetry import DuplicatesInReplace, UnknownFields
from cloudzero_provider.sandbox.telemetry.fields import (
    ELEMENT,
    GRANULARITIES,
    GRANULARITY,
    METRIC_DEFAULT,
    TIMESTAMP,
    VALUE,
    fields_of,
    record_granularity,
)
from cloudzero_provider.sandbox.telemetry.keys import KEYS_FIELD, NO_KEYS, KeySet, RecordKeys, parse_keys
from cloudzero_provider.sandbox.telemetry.model import Granularity, Identity, StreamKind, TelemetryOperation
from cloudzero_provider.sandbox.telemetry.values import parse_time, parse_value, truncated

if TYPE_CHECKING:
    from decimal import Decimal

    from cloudzero_provider.sandbox.settings.all_settings import Settings


class TelemetryRecord(NamedTuple):
    """
    A valid record.

    A delete has no ``value`` and may have no ``element_name``; ``keys`` is None if it names none.
    """

    timestamp: str
    element_name: str | None
    keys: RecordKeys | None
    value: Decimal | None
    accepted: dict[str, object]

    @property
    def identity(self) -> Identity:
        return Identity(self.timestamp, self.element_name or "", (self.keys or NO_KEYS).text)


@dataclass(frozen=True)
class Batch:
    """The valid records of a request."""

    kind: StreamKind
    operation: TelemetryOperation
    granularity: Granularity
    key_set: KeySet
    records: tuple[TelemetryRecord, ...]


@dataclass(frozen=True)
class TelemetryReading:
    """
    The result of reading a body.

    ``unreadable`` is set if the body as a whole is refused. There can be both a ``batch`` and ``problems``.
    """

    record_count: int | None = None
    unreadable: str | None = None
    problems: tuple[str, ...] = ()
    batch: Batch | None = None


def read_telemetry(
    body: bytes, kind: StreamKind, operation: TelemetryOperation, settings: Settings, now: float
) -> TelemetryReading:
    """Check a body against every rule that does not depend on stored data."""
    try:
        parsed = parse_exact_json(body, settings.duplicate_json_keys)
    except NotJsonError as error:
        return TelemetryReading(unreadable=f"Invalid JSON: {error}.")
    records = parsed.get("records") if isinstance(parsed, dict) else None
    if not isinstance(parsed, dict) or not isinstance(records, list):
        return TelemetryReading(unreadable="Invalid Schema: the body must be an object with an array of records.")
    unknown = [shortened(name) for name in parsed if name != "records"]
    if unknown and settings.unknown_fields is UnknownFields.REFUSE:
        return TelemetryReading(
            len(records), f"Invalid Schema: the body has members other than records: {', '.join(unknown[:5])}."
        )
    if not records and settings.empty_records is Permission.REFUSE:
        return TelemetryReading(0, "Invalid Schema: records is empty.")
    if settings.telemetry_record_limit and len(records) > settings.telemetry_record_limit:
        message = f"The request has {len(records)} records; the limit is {settings.telemetry_record_limit}."
        return TelemetryReading(len(records), message)
    reader = RecordReader(kind, operation, settings, now)
    for index, record in enumerate(records):
        reader.read(index, record)
    return TelemetryReading(len(records), None, tuple(reader.problems.as_list()), reader.batch())


class RecordReader:
    """Checks the records of one request in order, and collects the valid ones."""

    def __init__(self, kind: StreamKind, operation: TelemetryOperation, settings: Settings, now: float) -> None:
        self.problems = Problems()
        self._kind = kind
        self._operation = operation
        self._settings = settings
        today = datetime.fromtimestamp(now, timezone.utc)
        self._latest = today + timedelta(days=settings.future_days)
        self._earliest = today - timedelta(days=settings.past_days) if settings.past_days else None
        self._keys_field = KEYS_FIELD[kind]
        self._allowed, self._required = fields_of(kind, operation, settings)
        self._granularities = {granularity.value: granularity for granularity in GRANULARITIES[kind]}
        self._records: list[TelemetryRecord] = []
        self._identities: dict[Identity, int] = {}
        self._granularity: Granularity | None = None
        self._key_set: KeySet | None = None
        self._shapes: dict[tuple[str, ...], tuple[tuple[str, str], ...]] = {}
        # Most records of a request share their keys and timestamps.
        self._keys: dict[str, RecordKeys] = {}
        self._periods: dict[tuple[str, Granularity], str] = {}

    def batch(self) -> Batch | None:
        if not self._records or self._granularity is None:
            return None
        return Batch(self._kind, self._operation, self._granularity, self._key_set or (), tuple(self._records))

    def read(self, index: int, record: object) -> None:
        if not isinstance(record, dict):
            self.problems.add(f"record {index}: must be a JSON object")
            return
        known = self.problems.count
        for name, rule in self._shape(record):
            self.problems.add_for_record(index, name, rule)
        good = self._checked(index, record, known)
        if good is not None and not self._is_ignored(good) and self._matches_earlier_records(index, record, good):
            self._records.append(good)

    def _is_ignored(self, good: TelemetryRecord) -> bool:
        return good.value == 0 and self._settings.zero_values is ZeroValues.IGNORE

    def _shape(self, record: dict[str, object]) -> tuple[tuple[str, str], ...]:
        names = tuple(record)
        found = self._shapes.get(names)
        if found is None:
            problems = [(name, "is required") for name in self._required if name not in record]
            problems += [(name, rule) for name in names if (rule := self._field_problem(name))]
            found = self._shapes[names] = tuple(problems)
        return found

    def _field_problem(self, name: str) -> str | None:
        if name == VALUE and self._operation is TelemetryOperation.DELETE:
            return "is not a valid field of a delete"
        if name in self._allowed or self._settings.unknown_fields is not UnknownFields.REFUSE:
            return None
        return f"is not a field of this record ({', '.join(self._allowed)})"

    def _checked(self, index: int, record: dict[str, object], known: int) -> TelemetryRecord | None:
        granularity = self._checked_granularity(index, record)
        timestamp = self._checked_timestamp(index, record, granularity or METRIC_DEFAULT)
        element = self._checked_element(index, record)
        keys = self._checked_keys(index, record)
        value = self._checked_value(index, record)
        if self.problems.count > known:
            return None
        return TelemetryRecord(timestamp, element, keys, value, self._accepted_fields(record))

    def _accepted_fields(self, record: dict[str, object]) -> dict[str, object]:
        if self._settings.unknown_fields is not UnknownFields.ACCEPT:
            return {}
        return {name: found for name, found in record.items() if name not in self._allowed}

    def _checked_granularity(self, index: int, record: dict[str, object]) -> Granularity | None:
        given = record_granularity(self._kind, record, self._settings)
        found = self._granularities.get(given) if isinstance(given, str) else None
        if found is None:
            self.problems.add_for_record(index, GRANULARITY, f"must be one of {', '.join(self._granularities)}")
        return found

    def _checked_timestamp(self, index: int, record: dict[str, object], granularity: Granularity) -> str:
        text = record.get(TIMESTAMP, "")
        if not isinstance(text, str):
            self.problems.add_for_record(index, TIMESTAMP, "must be a string")
            return ""
        known = self._periods.get((text, granularity))
        if known is None and TIMESTAMP in record:
            try:
                moment = parse_time(text, self._settings.naive_timestamps, self._settings.telemetry_times)
                if moment > self._latest:
                    raise ValueError("is too far into the future")
                if self._earliest is not None and moment < self._earliest:
                    raise ValueError("is too far in the past")
                known = self._periods[text, granularity] = truncated(moment, granularity)
            except ValueError as error:
                self.problems.add_for_record(index, TIMESTAMP, str(error))
        return known or ""

    def _checked_element(self, index: int, record: dict[str, object]) -> str | None:
        if self._kind is StreamKind.METRIC or ELEMENT not in record:
            return None
        element = record[ELEMENT]
        blank_allowed = self._settings.blank_element_names is Permission.ACCEPT
        if isinstance(element, str) and (element or blank_allowed) and has_no_surrogates(element):
            return element
        self.problems.add_for_record(index, ELEMENT, f"must be a string{'' if blank_allowed else ' that is not blank'}")
        return None

    def _checked_keys(self, index: int, record: dict[str, object]) -> RecordKeys | None:
        if self._keys_field not in record:
            return None if self._operation is TelemetryOperation.DELETE else NO_KEYS
        value = record[self._keys_field]
        value_repr = repr(value)
        known = self._keys.get(value_repr)
        if known is None:
            try:
                known = parse_keys(self._kind, value, self._settings)
            except ValueError as error:
                self.problems.add_for_record(index, self._keys_field, str(error))
                return None
            self._keys[value_repr] = known
        return known

    def _checked_value(self, index: int, record: dict[str, object]) -> Decimal | None:
        if self._operation is TelemetryOperation.DELETE or VALUE not in record:
            return None
        try:
            return parse_value(record[VALUE], self._settings.value_form, self._settings.zero_values)
        except ValueError as error:
            self.problems.add_for_record(index, VALUE, str(error))
            return None

    def _matches_earlier_records(self, index: int, record: dict[str, object], good: TelemetryRecord) -> bool:
        granularity = self._granularities[str(record_granularity(self._kind, record, self._settings))]
        key_set = (good.keys or NO_KEYS).key_set
        if self._granularity is not None and self._granularity is not granularity:
            rule = f"all records must have the same granularity; the first has {self._granularity.value}"
            self.problems.add_for_record(index, GRANULARITY, rule)
            return False
        if self._key_set is not None and self._key_set != key_set:
            self.problems.add_for_record(index, self._keys_field, "all records must have the same filter keys")
            return False
        if not self._is_first_of_its_identity(index, good):
            return False
        self._granularity, self._key_set = granularity, key_set
        return True

    def _is_first_of_its_identity(self, index: int, good: TelemetryRecord) -> bool:
        replaces = self._operation is TelemetryOperation.REPLACE
        if not replaces or self._settings.duplicates_in_replace is not DuplicatesInReplace.REFUSE:
            return True
        first = self._identities.setdefault(good.identity, index)
        if first != index:
            self.problems.add(f"record {index}: has the same identity as record {first}")
        return first == index
