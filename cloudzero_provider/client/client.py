"""CloudZero's endpoints, one method each."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn
from urllib.parse import quote, urlencode

from cloudzero_provider.client.config import ClientConfig
from cloudzero_provider.client.retry import Sender
from cloudzero_provider.client.shapes import find_list
from cloudzero_provider.client.telemetry import TelemetryEndpoints
from cloudzero_provider.client.transport import Reply, Transport
from cloudzero_provider.exceptions import (
    ConfigurationError,
    MonthNotFoundError,
    NotFoundError,
    RequestRejectedError,
    UnexpectedReplyError,
    ValidationFailedError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudzero_provider.client.outcome import Effect

SCOPE_SEND_DROP = "connections:create_billing_anycost_billing_drop"
SCOPE_VALIDATE_DROP = "connections:create_billing_anycost_validate_billing_drop"
SCOPE_LIST_DROPS = "connections:read_billing_anycost_billing_drops"
SCOPE_READ_MONTH = "connections:read_billing_anycost_billing_drops_month"
SCOPE_LIST_CONNECTIONS = "connections:read_billings"

_CONNECTIONS = "/v2/connections/billing"
_ANYCOST = f"{_CONNECTIONS}/anycost"
#: Whether validation says "invalid" with success or with one of these is not published.
_INVALID = frozenset({400, 422})
_CONNECTION_ID = re.compile(r"[A-Za-z0-9_-]{1,256}")
_YEAR_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}")
_DROP_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")


@dataclass(frozen=True)
class BillingDrop:
    """What CloudZero lists of one month of a stream; ``month`` is text like ``2026-03``."""

    month: str
    drop_id: str | None
    row_count: int | None


@dataclass(frozen=True)
class DropReceipt:
    """What CloudZero says of a drop it took. Its documentation leaves open what ``row_count`` counts."""

    drop_id: str | None
    row_count: int | None


class Client(TelemetryEndpoints):
    """
    CloudZero's API.

    :param api_key: the bare key.
    :param options: the other fields of :class:`~cloudzero_provider.client.config.ClientConfig`: ``base_url``,
        ``timeout``, ``max_retry_seconds``, ``settle_seconds``, ``allow_http``.
    """

    def __init__(self, api_key: str, **options: Any) -> None:
        self.config = ClientConfig(api_key, **options)
        self._transport = Transport(self.config)
        self._sender = Sender(self.config, self._transport)

    def __repr__(self) -> str:
        return f"Client(base_url={self.config.base_url!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A client holds the API key and can't be pickled: make a new one from the connection.")

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    def wait_until_settled(self, began: float) -> None:
        """Wait until a request that began then (``time.monotonic``) can't be applied any more."""
        self._sender.wait_until_settled(began)

    def list_connections(self, *, limit: int | None = None) -> list[dict[str, Any]]:
        """
        List billing connections (https://docs.cloudzero.com/reference/getbillingconnections).

        :param limit: return the first so many; all of them without it.
        """
        found: list[dict[str, Any]] = []
        query: dict[str, Any] = {"limit": limit} if limit else {}
        seen: set[str | None] = {None}
        while True:
            path = f"{_CONNECTIONS}?{urlencode(query)}" if query else _CONNECTIONS
            reply = self._sender.send("GET", path, scope=SCOPE_LIST_CONNECTIONS)
            content = _json_object(reply, path)
            page = _objects(content, "connections", path)
            found += page
            cursor = _next_cursor(content)
            if not page or cursor in seen or (limit and len(found) >= limit):
                return found[:limit] if limit else found
            seen.add(cursor)
            query["cursor"] = cursor

    def list_drops(self, connection_id: str) -> list[BillingDrop]:
        """
        List the months a stream holds (https://docs.cloudzero.com/reference/getanycoststreamconnectionbillingdrops).

        :param connection_id: the AnyCost stream.
        :raises NotFoundError, RequestRejectedError: when CloudZero does not know the stream.
        """
        path = f"{_ANYCOST}/{checked_connection_id(connection_id)}/billing_drops"
        reply = self._sender.send("GET", path, scope=SCOPE_LIST_DROPS)
        listed = _objects(_parsed(reply), "billing_drops", path)
        return [_listed_drop(item, path, self.config.api_key) for item in listed]

    def send_drop(self, connection_id: str, body: bytes, *, effect: Effect) -> DropReceipt:
        """
        Send one drop (https://docs.cloudzero.com/reference/createoneanycoststreamconnectionbillingdrop).

        :param connection_id: the AnyCost stream.
        :param body: JSON with ``month``, ``operation`` and ``data``, encoded, 5 MB at most.
        :param effect: what applying its operation does.
        :raises AmbiguousWriteError: when it must not be repeated and may or may not have been applied.
        """
        path = f"{_ANYCOST}/{checked_connection_id(connection_id)}/billing_drops"
        reply = self._sender.send("POST", path, scope=SCOPE_SEND_DROP, body=body, effect=effect, writes=True)
        self._sender.refuse_false_success(reply, path)
        return _receipt(reply, self.config.api_key)

    def validate_drop(self, body: bytes) -> None:
        """
        Ask CloudZero whether it would take a drop (https://docs.cloudzero.com/reference/validateoneanycoststreamconnectionbillingdrop).

        :param body: as for :meth:`send_drop`.
        :raises ValidationFailedError: with CloudZero's own words, when it would not.
        """
        path = f"{_ANYCOST}/validate_billing_drop"
        try:
            reply = self._sender.send("POST", path, scope=SCOPE_VALIDATE_DROP, body=body)
        except RequestRejectedError as error:
            if error.status not in _INVALID:
                raise
            raise _invalid(error.message) from None
        verdict = next(
            (part for part in _wrapped(_json_object(reply, path)) if isinstance(part.get("is_valid"), bool)), None
        )
        if verdict is None:
            raise UnexpectedReplyError(f"POST {path}: the reply does not say whether the drop is valid.", reply.status)
        if not verdict["is_valid"]:
            errors = verdict.get("errors")
            words = "; ".join(map(str, errors[:10])) if isinstance(errors, list) else str(errors or "")
            raise _invalid(self._sender.fit_for_logs(words))

    def download_month(self, connection_id: str, month: str, save_to: BinaryIO) -> None:
        """
        Save the contents of a month, as JSON (https://docs.cloudzero.com/reference/getanycoststreamconnectionbillingdropcontents).

        The reply has no pages and may hold a million rows, so it goes to a file.

        :param connection_id: the AnyCost stream.
        :param month: which month, as text like ``2026-03``.
        :param save_to: a file open for writing bytes; what it held before is overwritten.
        :raises MonthNotFoundError: when the stream holds nothing for the month.
        """
        path = f"{_ANYCOST}/{checked_connection_id(connection_id)}/billing_drops/{quote(month, safe='')}"
        try:
            self._sender.send("GET", path, scope=SCOPE_READ_MONTH, save_to=save_to)
        except NotFoundError as error:
            raise MonthNotFoundError(
                f"AnyCost stream {connection_id} holds no billing drop for {month}. ({error.message})", error.status
            ) from None


def _invalid(words: str) -> ValidationFailedError:
    return ValidationFailedError(f"CloudZero's validation refuses the rows: {words.rstrip('.')}. Nothing was sent.")


def checked_connection_id(connection_id: str) -> str:
    """Refuse what can't be an AnyCost connection id, so that it can't lead to another path."""
    if not isinstance(connection_id, str) or not _CONNECTION_ID.fullmatch(connection_id):
        raise ConfigurationError(
            f"{connection_id!r} is no AnyCost connection id: copy it from the stream's page under Settings > Billing "
            "Connections; it looks like 1234abcd-1234-abcd-1234-abcd1234efgh."
        )
    return quote(connection_id, safe="")


def _parsed(reply: Reply) -> Any:
    try:
        return json.loads(reply.body)
    except (ValueError, RecursionError):
        return None


def _json_object(reply: Reply, path: str) -> dict[str, Any]:
    content = _parsed(reply)
    if not isinstance(content, dict):
        raise UnexpectedReplyError(
            f"{path}: HTTP {reply.status}, but the reply is no JSON object. Is the connection's host CloudZero?",
            reply.status,
        )
    return content


def _objects(content: Any, key: str, path: str) -> list[dict[str, Any]]:
    found = find_list(content, (key,))
    if found is None:
        raise UnexpectedReplyError(
            f"{path}: HTTP 200, but the reply has no list {key!r}. Is the connection's host CloudZero?", 200
        )
    return list(found)


def _wrapped(content: Any) -> Iterator[dict[str, Any]]:
    """Yield the object itself and what it wraps: the wrapper's name is not the same in all of the documentation."""
    if isinstance(content, dict):
        yield content
        yield from (value for value in content.values() if isinstance(value, dict))


def _next_cursor(content: dict[str, Any]) -> str | None:
    pagination = content.get("pagination")
    cursor = pagination.get("cursor") if isinstance(pagination, dict) else None
    if not isinstance(cursor, dict) or not cursor.get("has_next"):
        return None
    following = cursor.get("next_cursor")
    return following if isinstance(following, str) and following else None


def _listed_drop(item: dict[str, Any], path: str, secret: str) -> BillingDrop:
    month = item.get("month")
    match = _YEAR_MONTH.match(month) if isinstance(month, str) else None
    if match is None:
        raise UnexpectedReplyError(f"{path}: the reply lists a drop without a month.")
    drop_id = _drop_id(item)
    return BillingDrop(match[0], None if drop_id == secret else drop_id, _row_count(item))


def _receipt(reply: Reply, secret: str) -> DropReceipt:
    """Read what there is of a receipt: a success may come without a body, or with one that nobody has published."""
    content = _parsed(reply)
    for part in _wrapped(content):
        if "drop_id" in part or "row_count" in part:
            receipt = DropReceipt(_drop_id(part), _row_count(part))
            return DropReceipt(None, receipt.row_count) if receipt.drop_id == secret else receipt
    return DropReceipt(None, None)


def _drop_id(item: dict[str, Any]) -> str | None:
    value = item.get("drop_id")
    return value if isinstance(value, str) and _DROP_ID.fullmatch(value) else None


def _row_count(item: dict[str, Any]) -> int | None:
    """Read a number of rows, whole, as a number or as text."""
    value = item.get("row_count")
    if isinstance(value, bool):
        return None
    try:
        return int(value) if value is not None and int(value) == float(value) else None
    except (TypeError, ValueError, OverflowError):
        return None
