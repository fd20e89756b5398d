"""
Status of a telemetry stream or a billing drop, derived from what CloudZero publishes.

CloudZero publishes no endpoint for the status of a telemetry stream or of a billing drop. If it ever does, this is
the one place to change. Until then, a batch of telemetry was received when CloudZero shows its records among those
submitted, and is available when it shows them among those processed; a month of billing data has arrived when
CloudZero lists it, with its drop and its rows.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

from cloudzero_provider.client.telemetry import READABLE_RECORDS, TelemetryRecords
from cloudzero_provider.exceptions import NotFoundError, StreamInvalidError, UnexpectedReplyError
from cloudzero_provider.telemetry.identity import hashes_of
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
    """How many of the records looked for must be seen."""

    ALL = "all"
    ANY = "any"


class Reading(Protocol):
    """Result of one check."""

    @property
    def is_done(self) -> bool:
        """Whether it is what was waited for."""

    def as_dict(self) -> dict[str, Any]:
        """Ids, states and counts, as plain JSON values."""


class Wanted(Protocol):
    """What is waited for. Its fields are plain JSON values: they are the arguments of a trigger."""

    def look(self, client: Client) -> Reading:
        """
        Look once.

        :raises CloudZeroError: when CloudZero refuses, can't be reached, or says what ends the wait.
        """


@dataclass(frozen=True)
class StreamReading:
    """
    Status of a batch of telemetry.

    :param stream_name: the stream.
    :param status: of the batch, in CloudZero's words.
    :param looked_for: how many records were looked for.
    :param submitted: how many of them CloudZero shows among those submitted; not asked for when they are processed.
    :param processed: how many of them CloudZero shows among those processed.
    :param is_done: whether it is what was waited for.
    """

    stream_name: str
    status: str
    looked_for: int
    submitted: int
    processed: int
    is_done: bool

    def as_dict(self) -> dict[str, Any]:
        """Ids, states and counts, as plain JSON values."""
        return _without(asdict(self), "is_done")


_ORDER = (StreamStatus.PENDING, StreamStatus.LOADING, StreamStatus.AVAILABLE)


@dataclass(frozen=True)
class WantedBatch:
    """
    A batch of telemetry, and the status it should have.

    :param stream_name: the stream.
    :param granularity: of the batch.
    :param record_hashes: of its records, or of some of them.
    :param status: to wait for. ``Available`` is more than ``Loading``, which is more than ``Pending``.
    :param match: ``all``: every record looked for must be seen, so that records which did not change since an earlier
        batch are not taken for this one. CloudZero shows the newest 1,000 records of a stream; when it shows as many,
        one is enough, as the others may be further down. ``any``: one is always enough.
    """

    stream_name: str
    granularity: str
    record_hashes: tuple[str, ...]
    status: str = StreamStatus.AVAILABLE.value
    match: str = Match.ALL.value

    def look(self, client: Client) -> StreamReading:
        """
        Check the status of the batch once.

        :param client: CloudZero.
        :raises StreamInvalidError: when CloudZero says ``Invalid`` and something else is waited for.
        :raises UnexpectedReplyError: when none of the records that CloudZero shows can be read.
        """
        processed = self._seen(client.processed_records)
        if processed.all_there:
            submitted = _NOTHING
            status = StreamStatus.AVAILABLE
        else:
            submitted = self._seen(client.submitted_records)
            status = StreamStatus.LOADING if submitted.all_there else StreamStatus.PENDING
        status = _at_most(status, processed.said, submitted.said)
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

    def _seen(self, read: Callable[[str], TelemetryRecords]) -> _Seen:
        try:
            shown = read(self.stream_name)
        except NotFoundError:
            return _NOTHING
        hashes = self._hashes(shown)
        count = sum(record_hash in hashes for record_hash in self.record_hashes)
        one_is_enough = self.match == Match.ANY.value or len(shown.records) >= READABLE_RECORDS
        return _Seen(count, count >= (1 if one_is_enough else len(self.record_hashes)), shown.status)

    def _hashes(self, shown: TelemetryRecords) -> set[str]:
        hashes, unread = set(), 0
        newest = shown.records[:READABLE_RECORDS]
        for record in newest:
            try:
                hashes |= hashes_of(record, self.granularity)
            except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
                unread += 1
        if unread:
            what = f"{unread:,} of {len(newest):,} records that CloudZero shows of {self.stream_name}"
            if unread == len(newest):
                raise UnexpectedReplyError(f"{what} can't be read as telemetry records.")
            log.warning("%s can't be read as telemetry records, and are not among those looked for", what)
        return hashes


@dataclass(frozen=True)
class _Seen:
    count: int
    all_there: bool
    said: str | None


_NOTHING = _Seen(0, False, None)


def _at_most(status: StreamStatus, *said: str | None) -> StreamStatus:
    """Limit a derived status to the one that the replies state."""
    words = {choice.value.lower(): choice for choice in StreamStatus}
    named = {words[word.lower()] for word in said if word and word.lower() in words}
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
    :param listed: whether it is listed at all.
    :param drop_id: of the drop that is listed.
    :param rows: how many rows it is listed with.
    :param is_done: whether it is what was waited for.
    """

    anycost_connection_id: str
    month: str
    listed: bool
    drop_id: str | None
    rows: int | None
    is_done: bool

    def as_dict(self) -> dict[str, Any]:
        """Ids, states and counts, as plain JSON values."""
        return _without(asdict(self), "is_done")


@dataclass(frozen=True)
class WantedDrop:
    """
    A month of billing data, as CloudZero should list it.

    :param anycost_connection_id: the AnyCost stream.
    :param month: like ``2026-03``.
    :param drop_ids: it must be listed with one of these; empty: with any.
    :param row_counts: it must be listed with one of these numbers of rows; empty: with any number; 0 alone: or not at
        all.
    :param or_more: whether more rows will do, since the month may hold others.
    """

    anycost_connection_id: str
    month: str
    drop_ids: tuple[str, ...] = ()
    row_counts: tuple[int, ...] = ()
    or_more: bool = False

    def __post_init__(self) -> None:
        read_bool("or_more", self.or_more)

    def look(self, client: Client) -> DropReading:
        """
        Check once what CloudZero lists for the month.

        :param client: CloudZero.
        """
        try:
            listed = [drop for drop in client.list_drops(self.anycost_connection_id) if drop.month == self.month]
        except NotFoundError:
            listed = []
        found = next((drop for drop in listed if self._fits(drop)), None)
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

    def _fits(self, drop: BillingDrop) -> bool:
        has_drop = not self.drop_ids or drop.drop_id is None or drop.drop_id in self.drop_ids
        if not self.row_counts or drop.row_count is None:
            return has_drop
        enough = self.or_more and drop.row_count >= max(self.row_counts)
        return has_drop and (enough or drop.row_count in self.row_counts)


def _without(fields: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if key != name}
