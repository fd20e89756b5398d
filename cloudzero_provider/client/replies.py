"""Replies with a status of success, read leniently: their shapes are only partly published, and some hold errors."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloudzero_provider.client.error_text import error_text
from cloudzero_provider.client.key_hiding import holds_key
from cloudzero_provider.exceptions import UnexpectedReplyError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudzero_provider.client.transport import Reply

YEAR_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}")
_DROP_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
_LONGEST_CURSOR = 8192
_MOST_ROWS = 10**12
# Keys of errors in replies whose status says success.
_ERRORS = ("error", "errors")
# Lists under these keys are not results.
_NOT_RESULTS = frozenset({"error", "errors", "warnings", "details", "detail"})


@dataclass(frozen=True)
class BillingDrop:
    """A month of a stream, as CloudZero lists it; ``month`` is a string like ``2026-03``."""

    month: str
    drop_id: str | None
    row_count: int | None


@dataclass(frozen=True)
class DropReceipt:
    """CloudZero's reply to an accepted drop. What ``row_count`` counts is not published."""

    drop_id: str | None
    row_count: int | None


def json_of(reply: Reply) -> Any:
    """Parse a reply as JSON; ``None`` when it is not JSON."""
    try:
        return json.loads(reply.body)
    except (ValueError, RecursionError):
        return None


def refuse_error_inside(reply: Reply, content: Any, path: str, secret: str) -> None:
    """
    Refuse a reply with an error object, or a web page, regardless of its status.

    :param reply: the reply.
    :param content: the reply, parsed.
    :param path: of the request, for the error.
    :param secret: the key, to keep it out of the error.
    :raises UnexpectedReplyError: with the reply's own text.
    """
    is_error = isinstance(content, dict) and any(content.get(name) for name in _ERRORS)
    is_page = reply.body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    if is_error or is_page:
        words = error_text(reply.body, secret=secret)
        what = f"an error: {words}"
        if is_page:
            what = f"a web page, so check the connection's host, and any proxy in front of it: {words}"
        raise UnexpectedReplyError(f"HTTP {reply.status}, but the reply is {what.rstrip('.')} ({path}).", reply.status)


def json_object(reply: Reply, path: str, secret: str) -> dict[str, Any]:
    """
    Parse a reply that must be a JSON object.

    :raises UnexpectedReplyError: when it is not.
    """
    content = json_of(reply)
    if not isinstance(content, dict):
        raise UnexpectedReplyError(
            f"HTTP {reply.status}, but the reply is not a JSON object. Is the connection's host CloudZero? ({path})",
            reply.status,
        )
    if content.get("error"):
        refuse_error_inside(reply, content, path, secret)
    return content


def find_list(content: Any, keys: Sequence[str]) -> list[dict[str, Any]] | None:
    """
    Find the list of objects in a reply whose shape is not reliably published.

    It is the reply itself, the list under one of the keys, or the only list; a single object around all of it is
    unwrapped. Lists of errors do not count.

    :param content: the reply, parsed.
    :param keys: keys that may hold the list, the most likely first.
    :return: the list; ``None`` without one, so that an unknown shape does not look like an empty list.
    """
    found = content if isinstance(content, list) else _list_under(content, keys)
    if found is None and isinstance(content, dict) and "error" not in content:
        inner = [value for value in content.values() if isinstance(value, dict)]
        found = _list_under(inner[0], keys) if len(inner) == 1 else None
    return found if found is not None and all(isinstance(item, dict) for item in found) else None


def _list_under(content: Any, keys: Sequence[str]) -> list[Any] | None:
    """Find the list under one of the keys, else the only list; ``None`` without either."""
    if not isinstance(content, dict):
        return None
    named = next((content[key] for key in keys if isinstance(content.get(key), list)), None)
    lists = [value for name, value in content.items() if isinstance(value, list) and name not in _NOT_RESULTS]
    return named if named is not None else lists[0] if len(lists) == 1 else None


def objects_under(content: dict[str, Any], key: str, path: str) -> list[dict[str, Any]]:
    """
    Find the list of objects under its documented key, else the only list.

    :raises UnexpectedReplyError: without one.
    """
    found = _list_under(content, (key,))
    if found is None or not all(isinstance(item, dict) for item in found):
        raise UnexpectedReplyError(f"The reply has no list {key!r} ({path}).")
    return found


def listed_objects(reply: Reply, key: str, path: str, secret: str) -> list[dict[str, Any]]:
    """
    Parse a reply and find its list of objects, as :func:`find_list` does.

    :raises UnexpectedReplyError: without one.
    """
    content = json_of(reply)
    refuse_error_inside(reply, content, path, secret)
    found = find_list(content, (key,))
    if found is None:
        raise UnexpectedReplyError(
            f"HTTP {reply.status}, but the reply has no list {key!r}. Is the connection's host CloudZero? ({path})",
            reply.status,
        )
    return found


def wrapped(content: Any) -> Iterator[dict[str, Any]]:
    """Yield the object and the objects in it: CloudZero's pages name the wrapper differently."""
    if isinstance(content, dict):
        yield content
        yield from (value for value in content.values() if isinstance(value, dict))


def next_cursor(content: dict[str, Any], path: str, secret: str) -> str | None:
    """
    Find the cursor of the next page; ``None`` on the last page. It becomes part of a URL, which is logged.

    :raises UnexpectedReplyError: when it can't be a cursor.
    """
    pagination = content.get("pagination")
    cursor = pagination.get("cursor") if isinstance(pagination, dict) else None
    if not isinstance(cursor, dict) or not cursor.get("has_next"):
        return None
    following = cursor.get("next_cursor")
    if not isinstance(following, str) or not following:
        return None
    if len(following) > _LONGEST_CURSOR or not following.isprintable() or holds_key(following, secret):
        raise UnexpectedReplyError(f"The reply's cursor for the next page is not valid ({path}).")
    return following


def listed_drop(item: dict[str, Any], path: str, secret: str) -> BillingDrop:
    """
    Read one entry of a stream's list of drops.

    :raises UnexpectedReplyError: when it has no month.
    """
    month = item.get("month")
    match = YEAR_MONTH.match(month) if isinstance(month, str) else None
    if match is None:
        raise UnexpectedReplyError(f"The reply lists a drop without a month ({path}).")
    return BillingDrop(match[0], _drop_id(item, secret), _row_count(item))


def receipt_of(reply: Reply, path: str, secret: str) -> DropReceipt:
    """
    Read a receipt: a success may have no body, or one of an unpublished shape.

    :raises UnexpectedReplyError: when the reply holds an error.
    """
    content = json_of(reply)
    refuse_error_inside(reply, content, f"POST {path}", secret)
    for part in wrapped(content):
        if "drop_id" in part or "row_count" in part:
            return DropReceipt(_drop_id(part, secret), _row_count(part))
    return DropReceipt(None, None)


def _drop_id(item: dict[str, Any], secret: str) -> str | None:
    value = item.get("drop_id")
    if not isinstance(value, str) or not _DROP_ID.fullmatch(value) or holds_key(value, secret):
        return None
    return value


def _row_count(item: dict[str, Any]) -> int | None:
    """Read a whole number of rows, given as a number or as a string."""
    value = item.get("row_count")
    if isinstance(value, bool):
        return None
    try:
        count = int(value) if value is not None and int(value) == float(value) else None
    except (TypeError, ValueError, OverflowError):
        return None
    return count if count is not None and 0 <= count <= _MOST_ROWS else None
