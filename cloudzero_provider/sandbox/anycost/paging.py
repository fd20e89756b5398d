"""Sorting and cursor pagination (https://docs.cloudzero.com/reference/pagination)."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.common.parameters import InvalidParameterError, parse_limit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cloudzero_provider.sandbox.anycost.connections import Connection

_DEFAULT_LIMIT = 100


class SortOrder(Enum):
    """The sort order of the list."""

    ASC = "asc"
    DESC = "desc"


class SortKey(Enum):
    """What the list is sorted by."""

    CONNECTION_NAME = "connection_name"
    CREATION_DATE = "creation_date"
    NAME = "name"
    CLOUD_PROVIDER = "cloud_provider"
    CREATED = "created"
    LAST_UPDATED = "last_updated"
    IS_ENABLED = "is_enabled"


_VALUES: Mapping[SortKey, Callable[[Connection], str | float]] = {
    SortKey.CONNECTION_NAME: lambda connection: connection.name,
    SortKey.CREATION_DATE: lambda connection: connection.created,
    SortKey.NAME: lambda connection: connection.name,
    SortKey.CLOUD_PROVIDER: lambda connection: connection.cloud_provider,
    SortKey.CREATED: lambda connection: connection.created,
    SortKey.LAST_UPDATED: lambda connection: connection.last_updated,
    SortKey.IS_ENABLED: lambda connection: connection.is_enabled,
}


@dataclass(frozen=True)
class Page:
    """A page of the sorted list."""

    offset: int
    limit: int
    sort_key: SortKey
    sort_order: SortOrder


def parse_page(query: Mapping[str, str]) -> Page:
    """Parse the query parameters of a page."""
    sort_key, sort_order, offset = _start(query)
    return Page(offset, parse_limit(query, _DEFAULT_LIMIT), sort_key, sort_order)


def _start(query: Mapping[str, str]) -> tuple[SortKey, SortOrder, int]:
    try:
        sort_key = SortKey(query.get("sort_key", SortKey.CREATED.value))
        sort_order = SortOrder(query.get("sort_order", SortOrder.ASC.value))
    except ValueError:
        keys, orders = ", ".join(key.value for key in SortKey), ", ".join(order.value for order in SortOrder)
        raise InvalidParameterError(f"sort_key must be one of {keys}, sort_order one of {orders}") from None
    if "cursor" not in query:
        return sort_key, sort_order, 0
    cursor = _read_cursor(query["cursor"])
    chosen = (query.get("sort_key", cursor.sort_key.value), query.get("sort_order", cursor.sort_order.value))
    if chosen != (cursor.sort_key.value, cursor.sort_order.value):
        raise InvalidParameterError("the cursor is for another sort_key or sort_order")
    return cursor.sort_key, cursor.sort_order, cursor.offset


def _read_cursor(text: str) -> Page:
    try:
        offset, sort_key, sort_order = json.loads(base64.b64decode(text, validate=True))
        if type(offset) is not int or offset < 0:
            raise ValueError("not an offset")
        return Page(offset, 0, SortKey(sort_key), SortOrder(sort_order))
    except (ValueError, TypeError, binascii.Error):
        raise InvalidParameterError("the cursor is not valid; it must be URL-encoded") from None


def _cursor(page: Page, offset: int) -> str:
    return base64.b64encode(json.dumps([offset, page.sort_key.value, page.sort_order.value]).encode()).decode()


def page_json(connections: list[Connection], page: Page) -> dict[str, object]:
    """Return the documented body of a page of connections."""
    ordered = sorted(connections, key=_VALUES[page.sort_key], reverse=page.sort_order is SortOrder.DESC)
    shown = ordered[page.offset : page.offset + page.limit]
    after, before = page.offset + page.limit, max(0, page.offset - page.limit)
    has_next, has_previous = after < len(ordered), page.offset > 0
    return {
        "pagination": {
            "page_count": -(-len(ordered) // page.limit),
            "item_count": len(shown),
            "total_count": len(ordered),
            "cursor": {
                "next_cursor": _cursor(page, after) if has_next else None,
                "previous_cursor": _cursor(page, before) if has_previous else None,
                "has_next": has_next,
                "has_previous": has_previous,
            },
        },
        "sorting": {
            "available": {
                "sort_keys": [key.value for key in SortKey],
                "sort_orders": [order.value for order in SortOrder],
            },
            "current": [{"sort_key": page.sort_key.value, "sort_order": page.sort_order.value}],
        },
        "filtering": {"available": [], "current": {}},
        "connections": [connection.as_json() for connection in shown],
    }
