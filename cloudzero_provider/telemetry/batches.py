"""Split records into the ordered requests that send them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from cloudzero_provider.client.telemetry import TelemetryOperation
from cloudzero_provider.exceptions import InputError
from cloudzero_provider.telemetry.identity import record_hash
from cloudzero_provider.values.limits import LARGEST_BODY, MAX_BATCH_RECORDS, MAX_BODY_BYTES
from cloudzero_provider.values.parameters import read_bool, read_whole_number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudzero_provider.telemetry.checks import CheckedRecords

#: Number of record hashes in a summary, for a sensor to look for.
SAMPLED_RECORDS = 500

_PREFIX, _SUFFIX = b'{"records":[', b"]}"


@dataclass(frozen=True)
class BatchLimits:
    """
    Limits of one batch.

    :param max_body_bytes: size of the encoded body. CloudZero accepts 5 MB.
    :param max_batch_records: number of records. No limit is published; CloudZero's own tools send 3,000.
    """

    max_body_bytes: int = MAX_BODY_BYTES
    max_batch_records: int = MAX_BATCH_RECORDS

    def __post_init__(self) -> None:
        read_whole_number("max_body_bytes", self.max_body_bytes, most=LARGEST_BODY)
        read_whole_number("max_batch_records", self.max_batch_records)


@dataclass(frozen=True)
class Batch:
    """
    One request.

    :param operation: ``replace``, ``sum`` or ``delete``.
    :param body: encoded JSON.
    :param records: number of records.
    :param first: timestamp of the first record.
    :param last: timestamp of the last record.
    """

    operation: TelemetryOperation
    body: bytes
    records: int
    first: str
    last: str

    @property
    def sha256(self) -> str:
        """Hash of the operation and the body."""
        return hashlib.sha256(self.operation.value.encode() + self.body).hexdigest()


def make_batches(records: CheckedRecords, limits: BatchLimits, *, clear_periods: bool = False) -> Iterator[Batch]:
    """
    Split records into batches. All records of one batch have the same set of filter keys.

    Deletions are sent first, then smaller sets of keys before larger ones: a ``replace`` may also replace records
    with more keys (:func:`_by_key_set`).

    :param records: the checked records.
    :param limits: limits of each batch.
    :param clear_periods: whether to delete all records of their periods first.
    :raises InputError: when a single record is too large for one request.
    """
    if read_bool("clear_periods", clear_periods):
        periods = records.periods.to_frame().with_columns(element_name=None, keys=None, value=None)
        yield from _batches(periods, TelemetryOperation.DELETE, records, limits)
    for operation, frame in (
        (TelemetryOperation.DELETE, records.zeros.with_columns(value=None)),
        (records.rules.operation, records.frame),
    ):
        for part in _by_key_set(frame, operation):
            yield from _batches(part, operation, records, limits)


def _by_key_set(frame: pl.DataFrame, operation: TelemetryOperation) -> list[pl.DataFrame]:
    """
    Split records by their sets of filter keys, in the order in which they are sent.

    CloudZero's specification says that a ``replace`` replaces "any data ... that matches the supplied properties". This
    may mean that a record also replaces those of its period and element that have its keys and more, but never one with
    fewer keys or with another set of the same size. So smaller sets are sent first.

    A ``sum`` replaces nothing. Its requests keep the order of the input: the journal compares them with those of
    the previous attempt, which may have run an older version.
    """
    parts = frame.partition_by("key_set", maintain_order=True)
    if operation is TelemetryOperation.SUM:
        return parts
    return sorted(parts, key=lambda part: len(json.loads(part["key_set"][0])))


def _batches(
    frame: pl.DataFrame, operation: TelemetryOperation, records: CheckedRecords, limits: BatchLimits
) -> Iterator[Batch]:
    """Split a frame that has at least one record."""
    encoded = _encode(frame, operation, records)
    sizes = (encoded.str.len_bytes().cast(pl.Int64) + 1).to_list()
    start, size = 0, len(_PREFIX) + len(_SUFFIX) - 1
    empty = size
    for index, record_size in enumerate(sizes):
        if empty + record_size > limits.max_body_bytes:
            raise InputError(
                f"A record of {frame['timestamp'][index]} is {record_size - 1:,} bytes as JSON, too large for one "
                f"request (max_body_bytes is {limits.max_body_bytes:,}). Nothing was sent."
            )
        if size + record_size > limits.max_body_bytes or index - start == limits.max_batch_records:
            yield _batch(frame, encoded, operation, start, index)
            start, size = index, empty
        size += record_size
    yield _batch(frame, encoded, operation, start, len(sizes))


def _batch(frame: pl.DataFrame, encoded: pl.Series, operation: TelemetryOperation, start: int, end: int) -> Batch:
    rows: str = encoded.slice(start, end - start).str.join(",").item()
    body = _PREFIX + rows.encode() + _SUFFIX
    return Batch(operation, body, end - start, frame["timestamp"][start], frame["timestamp"][end - 1])


def _encode(frame: pl.DataFrame, operation: TelemetryOperation, records: CheckedRecords) -> pl.Series:
    """Encode each record as a JSON object, without fields that have no value."""
    granularity = f'"granularity":"{records.granularity}"' if records.sends_granularity else None
    elements = frame["element_name"].drop_nulls().unique().to_list()
    as_json = [json.dumps(element, ensure_ascii=False) for element in elements]
    element = pl.col("element_name").replace_strict(elements, as_json, default=None, return_dtype=pl.String)
    keys = pl.col("keys")
    if records.rules.kind.has_element and operation is not TelemetryOperation.DELETE:
        # One page calls filters optional, another requires them; on both, an empty filter means all spend.
        keys = keys.fill_null("{}")
    fields = [
        pl.format('"timestamp":"{}"', pl.col("timestamp")),
        _field('"value":', pl.col("value")),
        pl.lit(granularity),
        _field('"element_name":', element),
        _field(f'"{records.rules.kind.keys_field}":', keys),
    ]
    record = pl.concat_str(pl.lit("{"), pl.concat_str(fields, separator=",", ignore_nulls=True), pl.lit("}"))
    return frame.select(record.alias("json"))["json"]


def _field(key: str, value: pl.Expr) -> pl.Expr:
    return pl.when(value.is_not_null()).then(pl.lit(key) + value)


def sampled_hashes(records: CheckedRecords) -> list[str]:
    """
    Hash some of the records, so that a sensor can find them among those CloudZero has processed.

    Only the newest 1,000 records of a stream can be read, so half of the sample is sent last; the other half is spread
    over all requests. The hash covers time, element, keys and, for ``replace``, the value.
    """
    parts = _by_key_set(records.frame, records.rules.operation)
    as_sent = pl.concat(parts) if parts else records.frame
    with_value = records.rules.operation is TelemetryOperation.REPLACE
    return [
        record_hash(timestamp, element, keys, value if with_value else None)
        for timestamp, element, keys, value in as_sent[_sampled_indices(as_sent.height)]
        .select("timestamp", "element_name", "keys", "value")
        .iter_rows()
    ]


def _sampled_indices(count: int) -> list[int]:
    if count <= SAMPLED_RECORDS:
        return list(range(count))
    last = SAMPLED_RECORDS // 2
    spread = SAMPLED_RECORDS - last
    return [number * (count - last) // spread for number in range(spread)] + list(range(count - last, count))
