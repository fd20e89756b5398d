"""CloudZero's AnyCost endpoints (https://docs.cloudzero.com/reference/getbillingconnections), one method each."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import urlencode

from cloudzero_provider.client.error_text import value_text
from cloudzero_provider.client.replies import (
    YEAR_MONTH,
    json_object,
    listed_drop,
    listed_objects,
    next_cursor,
    objects_under,
    receipt_of,
    wrapped,
)
from cloudzero_provider.client.transport import MAX_REPLY_BYTES
from cloudzero_provider.exceptions import (
    ConfigurationError,
    MonthNotFoundError,
    NotFoundError,
    RequestRejectedError,
    UnexpectedReplyError,
    ValidationFailedError,
)
from cloudzero_provider.values.parameters import read_whole_number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudzero_provider.client.config import ClientConfig
    from cloudzero_provider.client.outcome import Effect
    from cloudzero_provider.client.replies import BillingDrop, DropReceipt
    from cloudzero_provider.client.retry import Sender

SCOPE_SEND_DROP = "connections:create_billing_anycost_billing_drop"
SCOPE_VALIDATE_DROP = "connections:create_billing_anycost_validate_billing_drop"
SCOPE_LIST_DROPS = "connections:read_billing_anycost_billing_drops"
SCOPE_READ_MONTH = "connections:read_billing_anycost_billing_drops_month"
SCOPE_LIST_CONNECTIONS = "connections:read_billings"

_CONNECTIONS = "/v2/connections/billing"
_ANYCOST = f"{_CONNECTIONS}/anycost"
#: Whether CloudZero reports invalid rows with a status of success or with one of these is not published.
_INVALID = frozenset({400, 422})
_CONNECTION_ID = re.compile(r"[A-Za-z0-9_-]{1,256}")
_MOST_PAGES = 1000
#: Of an error that may come with any status.
_UNKNOWN_STREAM = "UnknownConnection"


class AnyCostEndpoints:
    """The AnyCost part of :class:`~cloudzero_provider.client.client.Client`."""

    config: ClientConfig
    _sender: Sender

    def list_connections(self, *, limit: int | None = None) -> list[dict[str, Any]]:
        """
        List billing connections (https://docs.cloudzero.com/reference/getbillingconnections).

        :param limit: the number to return; without it, all.
        """
        found: list[dict[str, Any]] = []
        query: dict[str, Any] = {} if limit is None else {"limit": read_whole_number("limit", limit)}
        seen: set[str | None] = {None}
        secret, size = self.config.api_key, 0
        while True:
            path = f"{_CONNECTIONS}?{urlencode(query)}" if query else _CONNECTIONS
            reply = self._sender.send("GET", path, scope=SCOPE_LIST_CONNECTIONS)
            content = json_object(reply, path, secret)
            page = objects_under(content, "connections", path)
            found += page
            cursor = next_cursor(content, path, secret)
            if not page or cursor in seen or (limit and len(found) >= limit):
                return found[:limit] if limit else found
            seen.add(cursor)
            size += len(reply.body)
            if len(seen) > _MOST_PAGES or size > MAX_REPLY_BYTES:
                raise UnexpectedReplyError(f"The list has too many pages ({path}).", reply.status)
            query["cursor"] = cursor

    def list_drops(self, connection_id: str) -> list[BillingDrop]:
        """
        List the months that a stream holds (https://docs.cloudzero.com/reference/getanycoststreamconnectionbillingdrops).

        :param connection_id: the AnyCost stream.
        :raises NotFoundError, RequestRejectedError: when the stream is unknown.
        """
        path = f"{_ANYCOST}/{checked_connection_id(connection_id)}/billing_drops"
        with _stream_named(connection_id):
            reply = self._sender.send("GET", path, scope=SCOPE_LIST_DROPS)
        listed = listed_objects(reply, "billing_drops", path, self.config.api_key)
        return [listed_drop(item, path, self.config.api_key) for item in listed]

    def send_drop(self, connection_id: str, body: bytes, *, effect: Effect) -> DropReceipt:
        """
        Send one drop (https://docs.cloudzero.com/reference/createoneanycoststreamconnectionbillingdrop).

        :param connection_id: the AnyCost stream.
        :param body: encoded JSON with ``month``, ``operation`` and ``data``, 5 MB at most.
        :param effect: what applying the operation does.
        :raises AmbiguousWriteError: when it may have been applied and must not be repeated.
        """
        path = f"{_ANYCOST}/{checked_connection_id(connection_id)}/billing_drops"
        with _stream_named(connection_id):
            reply = self._sender.send("POST", path, scope=SCOPE_SEND_DROP, body=body, effect=effect, writes=True)
        return receipt_of(reply, path, self.config.api_key)

    def validate_drop(self, body: bytes) -> None:
        """
        Ask CloudZero whether it would accept a drop (https://docs.cloudzero.com/reference/validateoneanycoststreamconnectionbillingdrop).

        :param body: as for :meth:`send_drop`.
        :raises ValidationFailedError: when it would not, with CloudZero's reasons.
        """
        path = f"{_ANYCOST}/validate_billing_drop"
        try:
            reply = self._sender.send("POST", path, scope=SCOPE_VALIDATE_DROP, body=body)
        except RequestRejectedError as error:
            if error.status not in _INVALID:
                raise
            raise _invalid(error.message) from None
        content = json_object(reply, path, self.config.api_key)
        verdict = next((part for part in wrapped(content) if isinstance(part.get("is_valid"), bool)), None)
        if verdict is None:
            raise UnexpectedReplyError(f"The reply does not say whether the drop is valid (POST {path}).", reply.status)
        if not verdict["is_valid"]:
            words = value_text(verdict.get("errors"), secret=self.config.api_key)
            raise _invalid(words)

    def download_month(self, connection_id: str, month: str, save_to: BinaryIO) -> None:
        """
        Save the contents of a month, as JSON (https://docs.cloudzero.com/reference/getanycoststreamconnectionbillingdropcontents).

        The reply is not paged and may hold a million rows, so it is written to a file.

        :param connection_id: the AnyCost stream.
        :param month: a string like ``2026-03``.
        :param save_to: a file open for writing bytes, which is overwritten.
        :raises MonthNotFoundError: when the stream has no drop for the month.
        """
        path = _month_path(connection_id, month)
        try:
            self._sender.send("GET", path, scope=SCOPE_READ_MONTH, save_to=save_to)
        except NotFoundError as error:
            raise MonthNotFoundError(
                f"AnyCost stream {connection_id} has no billing drop for {month}. ({error.message})", error.status
            ) from None

    def has_month(self, connection_id: str, month: str) -> bool:
        """
        Check that a month exists and can be read, without downloading it.

        :param connection_id: the AnyCost stream.
        :param month: a string like ``2026-03``.
        :return: whether the stream has it. Only a key that may read months gets a 404 for one that it lacks.
        :raises AuthenticationError: when the key may not read months.
        """
        try:
            self._sender.send("GET", _month_path(connection_id, month), scope=SCOPE_READ_MONTH, skip_body=True)
        except NotFoundError:
            return False
        return True


@contextmanager
def _stream_named(connection_id: str) -> Iterator[None]:
    """Say first, in an error about a stream that CloudZero does not know, which one it is and where its id is found."""
    try:
        yield
    except RequestRejectedError as error:
        if isinstance(error, NotFoundError) or error.error_type == _UNKNOWN_STREAM:
            error.message = (
                f"CloudZero does not know the AnyCost stream {connection_id}. Copy its id from its page, under "
                f"Settings > Billing Connections; a sandbox creates it with --connection. {error.message}"
            )
        raise


def _month_path(connection_id: str, month: str) -> str:
    if not isinstance(month, str) or not YEAR_MONTH.fullmatch(month):
        raise ConfigurationError(f"{month!r:.80} is not a valid month: expected a string like 2026-03.")
    return f"{_ANYCOST}/{checked_connection_id(connection_id)}/billing_drops/{month}"


def _invalid(words: str) -> ValidationFailedError:
    return ValidationFailedError(f"CloudZero's validation rejects the rows: {words.rstrip('.')}. Nothing was sent.")


def checked_connection_id(connection_id: str) -> str:
    """
    Check an AnyCost connection id, so that it can't lead to another path.

    :raises ConfigurationError: when it is not valid.
    """
    if not isinstance(connection_id, str) or not _CONNECTION_ID.fullmatch(connection_id):
        raise ConfigurationError(
            f"{connection_id!r:.80} is not a valid AnyCost connection id: copy it from the stream's page under "
            "Settings > Billing Connections; it looks like 1234abcd-1234-abcd-1234-abcd1234efgh."
        )
    return connection_id
