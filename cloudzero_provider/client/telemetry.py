"""CloudZero's telemetry endpoints (https://docs.cloudzero.com/docs/send-via-api), one method each."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloudzero_provider.client.outcome import Effect
from cloudzero_provider.client.replies import find_list, json_of, refuse_error_inside
from cloudzero_provider.exceptions import ConfigurationError, RequestRejectedError, UnexpectedReplyError
from cloudzero_provider.values.parameters import Choice, read_bool, read_whole_number

if TYPE_CHECKING:
    from cloudzero_provider.client.config import ClientConfig
    from cloudzero_provider.client.retry import Sender
    from cloudzero_provider.client.transport import Reply

SCOPE_MANAGE_RECORDS = "unit-cost_v1:manage_telemetry_records"
SCOPE_READ_TELEMETRY = "unit-cost_v1:read_telemetry"
SCOPE_DELETE_STREAM = "unit-cost_v1:delete_telemetry_stream"

#: How many of the newest records can be read.
READABLE_RECORDS = 1000

_TELEMETRY = "/unit-cost/v1/telemetry"
_STREAM_NAME = re.compile(r"[A-Za-z0-9_.-]{1,256}")
_RECORD_LISTS = ("records", "telemetry_records", "data", "items", "results")


class StreamType(Choice):
    """The two kinds of telemetry streams."""

    METRIC = "metric"
    ALLOCATION = "allocation"


class TelemetryOperation(Choice):
    """How CloudZero merges records with those it holds."""

    REPLACE = "replace"
    SUM = "sum"
    DELETE = "delete"

    @property
    def effect(self) -> Effect:
        """What applying a request with this operation does."""
        return _EFFECTS[self]


_EFFECTS = {
    TelemetryOperation.REPLACE: Effect.REPEATABLE,
    TelemetryOperation.SUM: Effect.ADDS_TELEMETRY,
    TelemetryOperation.DELETE: Effect.REPEATABLE,
}


@dataclass(frozen=True)
class TelemetryRecords:
    """
    Records of a stream, read back.

    :param records: the newest first.
    :param status: the stream's status, if the reply has one. No documented reply does.
    """

    records: list[dict[str, Any]]
    status: str | None = None


class TelemetryEndpoints:
    """The telemetry part of :class:`~cloudzero_provider.client.Client`."""

    config: ClientConfig
    _sender: Sender

    def send_telemetry(
        self, stream_type: StreamType, stream_name: str, operation: TelemetryOperation, body: bytes
    ) -> None:
        """
        Send one batch of records.

        :param stream_type: metric or allocation.
        :param stream_name: letters, digits, ``_ . -``; CloudZero creates the stream with the first batch.
        :param operation: ``replace``, ``sum`` or ``delete``.
        :param body: encoded JSON with ``records``, 5 MB at most.
        :raises AmbiguousWriteError: when it is a ``sum`` that may or may not have been applied.
        """
        path = f"{_TELEMETRY}/{stream_type.value}/{checked_stream_name(stream_name)}/{operation.value}"
        reply = self._sender.send(
            "POST", path, scope=SCOPE_MANAGE_RECORDS, body=body, effect=operation.effect, writes=True
        )
        refuse_error_inside(reply, json_of(reply), f"POST {path}", self.config.api_key)

    def submitted_records(self, stream_name: str, *, limit: int = READABLE_RECORDS) -> TelemetryRecords:
        """
        Return the newest submitted records of a stream of either type, which appear after minutes.

        :param stream_name: the stream.
        :param limit: 1 to 1,000.
        :raises NotFoundError: when CloudZero does not know the stream.
        """
        return self._records(f"{_TELEMETRY}/metric/{checked_stream_name(stream_name)}", limit)

    def processed_records(self, stream_name: str, *, limit: int = READABLE_RECORDS) -> TelemetryRecords:
        """
        Return the newest processed records of a stream of either type, which appear after hours.

        :param stream_name: the stream.
        :param limit: 1 to 1,000.
        :raises NotFoundError: when CloudZero does not know the stream.
        """
        return self._records(f"{_TELEMETRY}/{checked_stream_name(stream_name)}/records", limit)

    def delete_stream(self, stream_name: str, *, force: bool = False) -> None:
        """
        Mark a stream for deletion, with all of its records. No operator does this.

        :param stream_name: the stream; its name can't be used again for up to an hour.
        :param force: delete it even if it has data. The name of this parameter is not published.
        """
        body = json.dumps({"force": True}).encode() if read_bool("force", force) else None
        path = f"{_TELEMETRY}/{checked_stream_name(stream_name)}"
        try:
            reply = self._sender.send("DELETE", path, scope=SCOPE_DELETE_STREAM, body=body, writes=True)
        except RequestRejectedError as error:
            error.message = (
                f"{error.message.rstrip('.')}. How the API deletes a stream with data is not reliably published. "
                "Delete it under Settings > Telemetry Streams."
            )
            raise
        refuse_error_inside(reply, json_of(reply), f"DELETE {path}", self.config.api_key)

    def _records(self, path: str, limit: int) -> TelemetryRecords:
        limit = read_whole_number("limit", limit, most=READABLE_RECORDS)
        reply = self._sender.send("GET", f"{path}?limit={limit}", scope=SCOPE_READ_TELEMETRY)
        return _read_records(reply, path, self.config.api_key)


def checked_stream_name(stream_name: str) -> str:
    """
    Check the name of a telemetry stream, so that it can't lead to another path.

    :raises ConfigurationError: when it is not valid.
    """
    fits = isinstance(stream_name, str) and _STREAM_NAME.fullmatch(stream_name)
    if not fits or stream_name in (".", ".."):
        raise ConfigurationError(
            f"{stream_name!r:.80} is not a valid stream name: expected 1 to 256 letters, digits, and _ . -"
        )
    return stream_name


def _read_records(reply: Reply, path: str, secret: str) -> TelemetryRecords:
    """Find the records; a reply of an unknown shape must not look like "no records"."""
    if not reply.body.strip():
        return TelemetryRecords([])
    content = json_of(reply)
    if isinstance(content, dict) and content.get("error"):
        refuse_error_inside(reply, content, path, secret)
    found = find_list(content, _RECORD_LISTS)
    if found is None:
        raise UnexpectedReplyError(f"HTTP {reply.status}, but the reply has no list of records ({path}).", reply.status)
    status = content.get("status") if isinstance(content, dict) else None
    return TelemetryRecords(found, status if isinstance(status, str) else None)
