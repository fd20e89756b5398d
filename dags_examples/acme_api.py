"""
The API of an invented vendor: the charges of a month, page by page, in the vendor's own fields.

They are those of the bill in ``acme_bill``. Replace it with your own vendor's API.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from acme_bill import month_rows

if TYPE_CHECKING:
    from acme_bill import Row

PAGE = 500
FIELDS = {
    "type": "lineitem/type",
    "text": "lineitem/description",
    "started_at": "time/usage_start",
    "amount": "cost/cost",
    "resource": "resource/id",
    "product": "resource/service",
    "account": "resource/account",
    "region": "resource/region",
    "quantity": "usage/amount",
    "unit": "usage/units",
}


def charges(month: str, after: str | None = None) -> dict[str, Any]:
    """
    Give a page of charges, and in ``next`` what to ask for the page after it with (``None`` on the last one).

    :param month: like ``2026-03``.
    :param after: ``next`` of the page before; without it, the first page.
    """
    rows = month_rows(month)
    start = int(after or 0)
    end = start + PAGE
    return {"charges": [_charge(row) for row in rows[start:end]], "next": str(end) if end < len(rows) else None}


def _charge(row: Row) -> dict[str, Any]:
    labels = {name.removeprefix("resource/tag:"): value for name, value in row.items() if "tag:" in name}
    return {**{field: row.get(column) for field, column in FIELDS.items()}, "labels": labels}
