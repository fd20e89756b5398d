"""Send telemetry records in batches."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from cloudzero_provider.claims import claimed
from cloudzero_provider.client.telemetry import TelemetryOperation
from cloudzero_provider.exceptions import (
    CHECK_THEN_CLEAR,
    CloudZeroError,
    RequestRejectedError,
)
from cloudzero_provider.journal import NoJournal
from cloudzero_provider.telemetry.batches import Batch, BatchLimits, planned_batches, sha256_of
from cloudzero_provider.telemetry.checks import describe_key_sets, key_set_counts
from cloudzero_provider.telemetry.claim import RecordsWrite
from cloudzero_provider.telemetry.send_summary import TelemetrySummary, summarize
from cloudzero_provider.values.counted import counted
from cloudzero_provider.values.parameters import read_bool, read_number

if TYPE_CHECKING:
    from cloudzero_provider.claims import Claims
    from cloudzero_provider.client import Client
    from cloudzero_provider.journal import Journal
    from cloudzero_provider.telemetry.checks import CheckedRecords

log = logging.getLogger(__name__)

#: CloudZero does not publish its reply to a request with too many records, so this matches words that are likely in it.
_SAYS_TOO_LARGE = re.compile(r"\b(too (large|many|big)|limit|maximum)\b", re.IGNORECASE)


@dataclass(frozen=True)
class TelemetryOptions:
    """
    How records are sent; the operator documents each.

    :param settle_from: time (``time.monotonic()``) from which a previous attempt's in-flight request must settle before
        anything is sent.
    :param journal: records which requests of a ``sum`` were acknowledged.
    :param claims: the claims of the DAG run; ``None`` outside a DAG run.
    """

    clear_periods: bool = False
    check_only: bool = False
    limits: BatchLimits = field(default_factory=BatchLimits)
    settle_from: float | None = None
    journal: Journal = field(default_factory=NoJournal)
    claims: Claims | None = None

    def __post_init__(self) -> None:
        read_bool("clear_periods", self.clear_periods)
        read_bool("check_only", self.check_only)
        if self.settle_from is not None:
            read_number("settle_from", self.settle_from)


def send_records(
    client: Client, stream_name: str, records: CheckedRecords, options: TelemetryOptions
) -> TelemetrySummary:
    """
    Send records, so that CloudZero holds each of them once.

    :param client: the client to send with.
    :param stream_name: the stream.
    :param records: the checked records.
    :param options: how to send them.
    :raises CloudZeroError: with the batch that failed and what CloudZero holds.
    """
    batches = planned_batches(records, options.limits, clear_periods=options.clear_periods)
    log.info(
        "%s: %s, total %s, in %s, for %s",
        stream_name,
        counted(records.frame.height, "record"),
        records.total,
        counted(len(batches), "request"),
        client.config.base_url,
    )
    if not options.check_only:
        if options.settle_from is not None:
            client.wait_until_settled(options.settle_from)
        write = partial(RecordsWrite.of, client, stream_name, records, clear_periods=options.clear_periods)
        with claimed(options.claims, write):
            sha256 = _send(client, stream_name, records, options, batches)
    else:
        sha256 = sha256_of(batches)
    return summarize(stream_name, records, batches, sha256, check_only=options.check_only)


def _send(
    client: Client, stream_name: str, records: CheckedRecords, options: TelemetryOptions, batches: list[Batch]
) -> str:
    """Send all batches, and return the hash of their bodies."""
    stream_type = records.rules.kind.stream_type
    done, sha256 = 0, hashlib.sha256()
    for number, batch in enumerate(batches, start=1):
        body = batch.body
        sha256.update(body)

        def send(batch: Batch = batch, body: bytes = body) -> bool:
            client.send_telemetry(stream_type, stream_name, batch.operation, body)
            return True

        try:
            sent = options.journal.send_once(batch.sha256(body), send)
        except CloudZeroError as error:
            if _deletion_found_no_stream(error, batch, records):
                log.info("%s: the stream does not exist yet, so nothing was deleted", stream_name)
                continue
            _explain(error, records, batch, options.limits)
            error.nothing_written = not done and not error.maybe_applied
            error.recovery = _recovery(error, records, batch, number, batches)
            raise
        done += batch.records
        if sent:
            log.info(
                "%s: sent request %d of %d: %s, %s bytes; %s so far (%s, %s to %s)",
                stream_name,
                number,
                len(batches),
                counted(batch.records, "record"),
                f"{batch.size:,}",
                f"{done:,}",
                batch.operation.value,
                batch.first,
                batch.last,
            )
    options.journal.finish()
    return sha256.hexdigest()


def _deletion_found_no_stream(error: CloudZeroError, batch: Batch, records: CheckedRecords) -> bool:
    """Whether CloudZero refused a deletion before a ``replace`` because the stream does not exist."""
    precedes_replace = (
        batch.operation is TelemetryOperation.DELETE and records.rules.operation is TelemetryOperation.REPLACE
    )
    return precedes_replace and isinstance(error, RequestRejectedError) and _says_no_stream(error)


def _says_no_stream(error: CloudZeroError) -> bool:
    return "must exist" in error.message.lower()


def _explain(error: CloudZeroError, records: CheckedRecords, batch: Batch, limits: BatchLimits) -> None:
    """Add to a refusal what the user can do about it."""
    if not isinstance(error, RequestRejectedError):
        return
    if error.error_type == "UnregisteredKeySetException":
        # CloudZero stores the prefix custom: as costcontext:.
        registered = json.dumps(error.event_details.get("registered_keys")).replace("costcontext:", "custom:")
        ours = describe_key_sets(key_set_counts(records.frame))
        error.message += (
            f" The stream accepts one set of {records.rules.kind.keys_field} keys, fixed by its first records: "
            f"{registered}. Yours: {ours}. Send each set to its own stream, or delete the stream "
            "(CloudZeroHook.client.delete_stream) and wait until its name is free again."
        )
    elif error.error_type == "InvalidKeysException":
        error.message += " Create the dimension in CloudZero first; names are case-sensitive, like 'custom:Team'."
    elif _says_no_stream(error) and batch.operation is TelemetryOperation.DELETE:
        error.message += " No stream has this name, so there is nothing to delete."
    elif error.status == 413 or _SAYS_TOO_LARGE.search(error.message):
        error.message += (
            f" Make requests smaller: max_body_bytes is {limits.max_body_bytes:,}, max_batch_records is "
            f"{limits.max_batch_records:,}."
        )
    elif _says_no_stream(error):
        error.message += (
            " CloudZero did not create the stream on a 'replace': send the first records once with operation='sum', or "
            "create the stream under Settings > Telemetry Streams."
        )


def _recovery(error: CloudZeroError, records: CheckedRecords, batch: Batch, number: int, batches: list[Batch]) -> str:
    which = (
        f"It was request {number} of {len(batches)}: {batch.operation.value} of {counted(batch.records, 'record')}, "
        f"{batch.first} to {batch.last} (SHA-256 {batch.sha256(batch.body)[:12]})."
    )
    if number > 1:
        which += f" {_earlier(number - 1)}"
    if not error.maybe_applied:
        which += " This one was not applied."
    if records.rules.operation is TelemetryOperation.SUM:
        return f"{which} Sending again could count records twice. {CHECK_THEN_CLEAR}"
    when = "Running" if error.retry_can_help else "Once the cause is fixed, running"
    return f"{which} {when} the task again sends everything again and corrects it."


def _earlier(count: int) -> str:
    return "The request before it was applied." if count == 1 else f"The {count} requests before it were applied."
