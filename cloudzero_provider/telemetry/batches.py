"""Split records into the ordered requests that send them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from cloudzero_provider.client.telemetry import TelemetryOperation
from cloudzero_provider.exceptions import ConfigurationError, InputError
from cloudzero_provider.telemetry.identity import record_hash
from cloudzero_provider.values.counted import counted
from cloudzero_provider.values.json_objects import JsonField, JsonObjects
from cloudzero_provider.values.json_strings import json_escaped
from cloudzero_provider.values.limits import LARGEST_BODY, MAX_BATCH_RECORDS, MAX_BODY_BYTES
from cloudzero_provider.values.parameters import read_bool, read_whole_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloudzero_provider.telemetry.checks import CheckedRecords

#: Number of record hashes in a summary, for a sensor to look for.
SAMPLED_RECORDS = 500

_PREFIX, _SUFFIX = b'{"records":[', b"]}"
#: Size of a body without records. The comma that a record's size includes is not sent after the last one.
_EMPTY = len(_PREFIX) + len(_SUFFIX) - 1
_NO_TEXT = pl.lit(None, dtype=pl.String)
_NOT_OF_PERIODS = ("element_name", "keys", "value")


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
    One request. Its body is encoded each time it is read, so that only one body is held at a time.

    :param operation: ``replace``, ``sum`` or ``delete``.
    :param objects: its records.
    :param size: length of the body, in bytes.
    """

    operation: TelemetryOperation
    objects: JsonObjects = field(repr=False)
    size: int

    @property
    def body(self) -> bytes:
        """Encoded JSON."""
        return b"".join((_PREFIX, self.objects.joined(), _SUFFIX))

    @property
    def records(self) -> int:
        """Number of records."""
        return self.objects.frame.height

    @property
    def first(self) -> str:
        """Timestamp of the first record."""
        return str(self.objects.frame["timestamp"][0])

    @property
    def last(self) -> str:
        """Timestamp of the last record."""
        return str(self.objects.frame["timestamp"][-1])

    def sha256(self, body: bytes) -> str:
        """
        Hash the operation and the body.

        :param body: of this batch.
        """
        return hashlib.sha256(self.operation.value.encode() + body).hexdigest()


def planned_batches(records: CheckedRecords, limits: BatchLimits, *, clear_periods: bool = False) -> list[Batch]:
    """
    Split records into batches, unless clearing their periods contradicts what else they do.

    :param records: the checked records.
    :param limits: limits of each batch.
    :param clear_periods: whether to delete all records of their periods first.
    :raises ConfigurationError, InputError: when the periods can't be cleared, or a record is too large for a request.
    """
    if read_bool("clear_periods", clear_periods) and records.rules.operation is not TelemetryOperation.REPLACE:
        raise ConfigurationError("clear_periods=True deletes before it writes, so it needs operation='replace'.")
    if clear_periods and records.zeros_skipped:
        raise InputError(
            f"on_zero='skip' keeps what CloudZero holds of {counted(records.zeros_skipped, 'record')} with a value of "
            "zero, but clear_periods=True would delete it. Use on_zero='delete', or remove these records. Nothing was "
            "sent."
        )
    return list(make_batches(records, limits, clear_periods=clear_periods))


def sha256_of(batches: Iterable[Batch]) -> str:
    """Hash the bodies of batches, in order."""
    sha256 = hashlib.sha256()
    for batch in batches:
        sha256.update(batch.body)
    return sha256.hexdigest()


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
        periods = records.periods.to_frame().with_columns(_NO_TEXT.alias(name) for name in _NOT_OF_PERIODS)
        yield from _batches(periods, TelemetryOperation.DELETE, records, limits)
    for operation, frame in (
        (TelemetryOperation.DELETE, records.zeros.with_columns(value=_NO_TEXT)),
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
    if frame["key_set"].n_unique() == 1:
        # Partitioning copies.
        return [frame]
    parts = frame.partition_by("key_set", maintain_order=True)
    if operation is TelemetryOperation.SUM:
        return parts
    return sorted(parts, key=lambda part: len(json.loads(part["key_set"][0])))


def _batches(
    frame: pl.DataFrame, operation: TelemetryOperation, records: CheckedRecords, limits: BatchLimits
) -> Iterator[Batch]:
    """Split a frame that has at least one record."""
    objects = _objects(frame, operation, records)
    sizes = objects.sizes()
    _check_record_sizes(frame, sizes, limits)
    start, size = 0, _EMPTY
    for index, record_size in enumerate(sizes.to_list()):
        if size + record_size > limits.max_body_bytes or index - start == limits.max_batch_records:
            yield Batch(operation, objects.slice(start, index - start), size)
            start, size = index, _EMPTY
        size += record_size
    yield Batch(operation, objects.slice(start), size)


def _check_record_sizes(frame: pl.DataFrame, sizes: pl.Series, limits: BatchLimits) -> None:
    too_large = (sizes > limits.max_body_bytes - _EMPTY).arg_true()
    if len(too_large):
        index = too_large[0]
        raise InputError(
            f"A record of {frame['timestamp'][index]} is {sizes[index] - 1:,} bytes as JSON, too large for one "
            f"request (max_body_bytes is {limits.max_body_bytes:,}). Nothing was sent."
        )


def _objects(frame: pl.DataFrame, operation: TelemetryOperation, records: CheckedRecords) -> JsonObjects:
    """Describe the objects that records become."""
    kind = records.rules.kind
    granularity = f',"granularity":"{records.granularity}"' if records.sends_granularity else ""
    is_deletion = operation is TelemetryOperation.DELETE
    fields = (
        JsonField("timestamp", '"timestamp":"', f'"{granularity if is_deletion else ""}'),
        JsonField("value", '"value":', granularity),
        JsonField("element_name", '"element_name":"', '"'),
        JsonField("keys", f'"{kind.keys_field}":'),
    )
    keys = frame["keys"]
    if kind.has_element and not is_deletion:
        # One page calls filters optional, another requires them; on both, an empty filter means all spend.
        keys = keys.fill_null("{}")
    columns = [frame["timestamp"], frame["value"], json_escaped(frame["element_name"]), keys]
    return JsonObjects(pl.DataFrame(columns), fields)


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
