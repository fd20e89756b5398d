"""
Status of a telemetry stream or a billing drop, derived from what CloudZero publishes.

CloudZero publishes no endpoint for this status. If it ever does, only this module has to change. Until then, a batch of
telemetry has been received when CloudZero lists its records as submitted, and is available when it lists them as
processed; a month of billing data has arrived when CloudZero lists it, with its drop and number of rows.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

from cloudzero_provider.client.telemetry import READABLE_RECORDS, TelemetryRecords
from cloudzero_provider.exceptions import NotFoundError, StreamInvalidError, UnexpectedReplyError
from cloudzero_provider.telemetry.identity import hashes_of
from cloudzero_provider.values.counted import counted
from cloudzero_provider.values.parameters import Choice, read_bool

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloudzero_provider.client import BillingDrop, Client

log = logging.getLogger(__name__)


class StreamStatus(Choice):
    """Status of a telemetry stream, in CloudZero's words (https://docs.cloudzero.com/docs/manage-streams)."""

    PENDING = "Pending"
    LOADING = "Loading"
    AVAILABLE = "Available"
    INVALID = "Invalid"


class Match(Choice):
    """How many of the wanted records CloudZero must list."""

    ALL = "all"
    ANY = "any"


class Reading(Protocol):
    """Result of one check."""

    @property
    def is_done(self) -> bool:
        """Whether the wanted status is reached."""

    def as_dict(self) -> dict[str, Any]:
        """Ids, states and counts, as plain JSON values."""


class Wanted(Protocol):
    """What a sensor waits for. Its fields are plain JSON values: they are the arguments of a trigger."""

    def check(self, client: Client) -> Reading:
        """
        Check once.

        :raises CloudZeroError: when CloudZero refuses or can't be reached, or its reply means that waiting is useless.
        """


@dataclass(frozen=True)
class StreamReading:
    """
    Status of a batch of telemetry.

    :param stream_name: the stream.
    :param status: of the batch, in CloudZero's words.
    :param looked_for: number of records that were looked for.
    :param submitted: how many of them CloudZero lists as submitted; 0 without a request if they are processed.
    :param processed: how many of them CloudZero lists as processed.
    :param is_done: whether the wanted status is reached.
    """

    stream_name: str
    status: str
    looked_for: int
    submitted: int
    processed: int
    is_done: bool

    def __str__(self) -> str:
        return (
            f"{self.stream_name} is {self.status}: {self.submitted:,} submitted and {self.processed:,} processed of "
            f"{counted(self.looked_for, 'record')} looked for"
        )

    def as_dict(self) -> dict[str, Any]:
        """Ids, states and counts, as plain JSON values."""
        return _without(asdict(self), "is_done")


_ORDER = (StreamStatus.PENDING, StreamStatus.LOADING, StreamStatus.AVAILABLE)


@dataclass(frozen=True)
class WantedBatch:
    """
    A batch of telemetry, and the status to wait for.

    :param stream_name: the stream.
    :param granularity: of the batch.
    :param record_hashes: hashes of its records, or of some of them.
    :param status: the status to wait for, or a later one: ``Pending``, then ``Loading``, then ``Available``.
    :param match: ``all``: CloudZero must list every wanted record, so that unchanged records of an earlier batch are
        not mistaken for this one. It lists only the newest 1,000 records of a stream; if it lists that many, one is
        enough, since the others may be older. ``any``: one is always enough.
    """

    stream_name: str
    granularity: str
    record_hashes: tuple[str, ...]
    status: str = StreamStatus.AVAILABLE.value
    match: str = Match.ALL.value

    def __str__(self) -> str:
        return f"status {self.status}"

    def check(self, client: Client) -> StreamReading:
        """
        Check the status of the batch once.

        :param client: the client to read with.
        :raises StreamInvalidError: when CloudZero says ``Invalid`` and another status is wanted.
        :raises UnexpectedReplyError: when none of the listed records can be read.
        """
        processed = self._listed(client.processed_records)
        if processed.is_match:
            submitted = _NONE_LISTED
            status = StreamStatus.AVAILABLE
        else:
            submitted = self._listed(client.submitted_records)
            status = StreamStatus.LOADING if submitted.is_match else StreamStatus.PENDING
        status = _limited(status, processed.stated_status, submitted.stated_status)
        wanted = StreamStatus(self.status)
        if status is StreamStatus.INVALID and wanted is not StreamStatus.INVALID:
            raise StreamInvalidError(
                f"CloudZero says that the telemetry stream {self.stream_name} is Invalid: a dimension it refers to is "
                "missing or broken. Fix the dimension or the stream under Settings > Telemetry Streams."
            )
        return StreamReading(
            stream_name=self.stream_name,
            status=status.value,
            looked_for=len(self.record_hashes),
            submitted=submitted.count,
            processed=processed.count,
            is_done=status is wanted if StreamStatus.INVALID in (status, wanted) else _at_least(status, wanted),
        )

    def _listed(self, read: Callable[[str], TelemetryRecords]) -> _Listed:
        try:
            reply = read(self.stream_name)
        except NotFoundError:
            return _NONE_LISTED
        hashes = self._hashes(reply)
        count = sum(record_hash in hashes for record_hash in self.record_hashes)
        one_is_enough = self.match == Match.ANY.value or len(reply.records) >= READABLE_RECORDS
        return _Listed(count, count >= (1 if one_is_enough else len(self.record_hashes)), reply.status)

    def _hashes(self, reply: TelemetryRecords) -> set[str]:
        hashes, unreadable = set(), 0
        newest = reply.records[:READABLE_RECORDS]
        for record in newest:
            try:
                hashes |= hashes_of(record, self.granularity)
            except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
                unreadable += 1
        if unreadable:
            what = f"{unreadable:,} of {len(newest):,} records that CloudZero lists for {self.stream_name}"
            if unreadable == len(newest):
                raise UnexpectedReplyError(f"{what} can't be read as telemetry records.")
            log.warning("%s can't be read as telemetry records and are ignored", what)
        return hashes


@dataclass(frozen=True)
class _Listed:
    """
    Wanted records in one of CloudZero's lists.

    :param count: how many are listed.
    :param is_match: whether they are enough.
    :param stated_status: status in the reply, if there is one.
    """

    count: int
    is_match: bool
    stated_status: str | None


_NONE_LISTED = _Listed(0, False, None)


def _limited(status: StreamStatus, *stated: str | None) -> StreamStatus:
    """Limit a derived status to the one that the replies state."""
    by_name = {choice.value.lower(): choice for choice in StreamStatus}
    named = {by_name[name.lower()] for name in stated if name and name.lower() in by_name}
    if StreamStatus.INVALID in named:
        return StreamStatus.INVALID
    return min((status, *named), key=_ORDER.index)


def _at_least(status: StreamStatus, wanted: StreamStatus) -> bool:
    return _ORDER.index(status) >= _ORDER.index(wanted)


@dataclass(frozen=True)
class DropReading:
    """
    What CloudZero lists for a month.

    :param anycost_connection_id: the AnyCost stream.
    :param month: like ``2026-03``.
    :param listed: whether CloudZero lists the month.
    :param drop_id: id of the listed drop.
    :param rows: number of rows in the list.
    :param is_done: whether this is what is wanted.
    """

    anycost_connection_id: str
    month: str
    listed: bool
    drop_id: str | None
    rows: int | None
    is_done: bool

    def __str__(self) -> str:
        if not self.listed:
            return f"{self.month} is not listed for AnyCost stream {self.anycost_connection_id}"
        rows = "an unknown number of rows" if self.rows is None else counted(self.rows, "row")
        drop = f" (drop {self.drop_id})" if self.drop_id else ""
        return f"{self.month} of AnyCost stream {self.anycost_connection_id} with {rows}{drop}"

    def as_dict(self) -> dict[str, Any]:
        """Ids, states and counts, as plain JSON values."""
        return _without(asdict(self), "is_done")


@dataclass(frozen=True)
class WantedDrop:
    """
    A month of billing data, as CloudZero should list it.

    :param anycost_connection_id: the AnyCost stream.
    :param month: like ``2026-03``.
    :param drop_ids: accepted drop ids; empty: any.
    :param row_counts: accepted numbers of rows; empty: any. ``(0,)`` also accepts a month that is not listed.
    :param or_more: whether more rows are accepted, since the month may hold other rows too.
    """

    anycost_connection_id: str
    month: str
    drop_ids: tuple[str, ...] = ()
    row_counts: tuple[int, ...] = ()
    or_more: bool = False

    def __post_init__(self) -> None:
        read_bool("or_more", self.or_more)

    def __str__(self) -> str:
        counts = " or ".join(f"{count:,}" for count in self.row_counts)
        rows = [f"{counts} rows{' or more' if self.or_more else ''}"] if counts else []
        drops = [f"drop {' or '.join(self.drop_ids)}"] if self.drop_ids else []
        return f"{self.month} to be listed{' with ' if rows or drops else ''}{', '.join(rows + drops)}"

    def check(self, client: Client) -> DropReading:
        """
        Check once what CloudZero lists for the month.

        :param client: the client to read with.
        """
        try:
            listed = [drop for drop in client.list_drops(self.anycost_connection_id) if drop.month == self.month]
        except NotFoundError:
            listed = []
        found = next((drop for drop in listed if self._is_wanted(drop)), None)
        if set(self.row_counts) == {0} and not listed:
            return DropReading(self.anycost_connection_id, self.month, False, None, None, True)
        shown = found or (listed[0] if listed else None)
        return DropReading(
            anycost_connection_id=self.anycost_connection_id,
            month=self.month,
            listed=bool(listed),
            drop_id=shown.drop_id if shown else None,
            rows=shown.row_count if shown else None,
            is_done=found is not None,
        )

    def _is_wanted(self, drop: BillingDrop) -> bool:
        has_drop = not self.drop_ids or drop.drop_id is None or drop.drop_id in self.drop_ids
        if not self.row_counts or drop.row_count is None:
            return has_drop
        enough = self.or_more and drop.row_count >= max(self.row_counts)
        return has_drop and (enough or drop.row_count in self.row_counts)


def _without(fields: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if key != name}
