"""What stands in a reply of success. Not all of it is published, and not all that says so is a success."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloudzero_provider.client.error_text import error_text
from cloudzero_provider.client.key_hiding import holds_key
from cloudzero_provider.client.shapes import find_list, list_under
from cloudzero_provider.exceptions import UnexpectedReplyError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudzero_provider.client.transport import Reply

YEAR_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}")
_DROP_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
_LONGEST_CURSOR = 8192
_MOST_ROWS = 10**12
# Where an error stands that comes with a status of success.
_OF_ERRORS = ("error", "errors")


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


def json_of(reply: Reply) -> Any:
    """Read a reply as JSON; ``None`` when it is none."""
    try:
        return json.loads(reply.body)
    except (ValueError, RecursionError):
        return None


def refuse_error_inside(reply: Reply, content: Any, path: str, secret: str) -> None:
    """
    Refuse what is no success, whatever the status says: an error object, and HTML, which is not CloudZero's.

    :param content: of the reply, as JSON.
    :raises UnexpectedReplyError: with the words of the reply.
    """
    is_error = isinstance(content, dict) and any(content.get(name) for name in _OF_ERRORS)
    is_page = reply.body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    if is_error or is_page:
        words = error_text(reply.body, secret=secret)
        what = f"an error: {words}"
        if is_page:
            what = f"a web page, not CloudZero's ({words}): check the connection's host, and the proxies in between"
        raise UnexpectedReplyError(f"{path}: HTTP {reply.status}, but the reply is {what}", reply.status)


def json_object(reply: Reply, path: str, secret: str) -> dict[str, Any]:
    """
    Read a reply that is a JSON object.

    :raises UnexpectedReplyError: when it is something else.
    """
    content = json_of(reply)
    if not isinstance(content, dict):
        raise UnexpectedReplyError(
            f"{path}: HTTP {reply.status}, but the reply is no JSON object. Is the connection's host CloudZero?",
            reply.status,
        )
    if content.get("error"):
        refuse_error_inside(reply, content, path, secret)
    return content


def objects(content: dict[str, Any], key: str, path: str) -> list[dict[str, Any]]:
    """Find the list of a reply: under its documented key, or the only list there is."""
    found = list_under(content, (key,))
    if found is None or not all(isinstance(item, dict) for item in found):
        raise UnexpectedReplyError(f"{path}: the reply has no list {key!r}.")
    return found


def listed_objects(reply: Reply, key: str, path: str, secret: str) -> list[dict[str, Any]]:
    """
    Find the list that a reply is about, whatever is around it.

    :raises UnexpectedReplyError: when there is none.
    """
    content = json_of(reply)
    refuse_error_inside(reply, content, path, secret)
    found = find_list(content, (key,))
    if found is None:
        raise UnexpectedReplyError(
            f"{path}: HTTP {reply.status}, but the reply has no list {key!r}. Is the connection's host CloudZero?",
            reply.status,
        )
    return found


def wrapped(content: Any) -> Iterator[dict[str, Any]]:
    """Yield the object itself and what it wraps: the wrapper's name is not the same in all of the documentation."""
    if isinstance(content, dict):
        yield content
        yield from (value for value in content.values() if isinstance(value, dict))


def next_cursor(content: dict[str, Any], path: str, secret: str) -> str | None:
    """
    Find what asks for the next page. It becomes part of an address, which is logged.

    :raises UnexpectedReplyError: when it can be none.
    """
    pagination = content.get("pagination")
    cursor = pagination.get("cursor") if isinstance(pagination, dict) else None
    if not isinstance(cursor, dict) or not cursor.get("has_next"):
        return None
    following = cursor.get("next_cursor")
    if not isinstance(following, str) or not following:
        return None
    if len(following) > _LONGEST_CURSOR or not following.isprintable() or holds_key(following, secret):
        raise UnexpectedReplyError(f"{path}: the reply names a next page that can't be asked for.")
    return following


def listed_drop(item: dict[str, Any], path: str, secret: str) -> BillingDrop:
    """
    Read a month of the list of a stream.

    :raises UnexpectedReplyError: when it names none.
    """
    month = item.get("month")
    match = YEAR_MONTH.match(month) if isinstance(month, str) else None
    if match is None:
        raise UnexpectedReplyError(f"{path}: the reply lists a drop without a month.")
    return BillingDrop(match[0], _drop_id(item, secret), _row_count(item))


def receipt_of(reply: Reply, path: str, secret: str) -> DropReceipt:
    """
    Read what there is of a receipt: a success may come without a body, or with one that nobody has published.

    :raises UnexpectedReplyError: when it is no success.
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
    """Read a number of rows, whole, as a number or as text."""
    value = item.get("row_count")
    if isinstance(value, bool):
        return None
    try:
        count = int(value) if value is not None and int(value) == float(value) else None
    except (TypeError, ValueError, OverflowError):
        return None
    return count if count is not None and 0 <= count <= _MOST_ROWS else None
