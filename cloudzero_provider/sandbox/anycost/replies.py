"""
AnyCost's replies to a drop, to the list of drops, and to reading a month.

https://docs.cloudzero.com/reference/createoneanycoststreamconnectionbillingdrop and its siblings
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.http.replies import Reply, bytes_reply, json_reply
from cloudzero_provider.sandbox.settings.replies import (
    ContentsNumbers,
    ContentsWrapper,
    ListWrapper,
    ReplyMonth,
    RowCountForm,
    SuccessBody,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudzero_provider.sandbox.anycost.reads import MonthContents
    from cloudzero_provider.sandbox.anycost.store import DropSummary
    from cloudzero_provider.sandbox.settings.all_settings import Settings

_TEXT, _HTML = "text/plain", "text/html"
_OTHER_BODIES: dict[SuccessBody, tuple[bytes, str]] = {
    SuccessBody.EMPTY: (b"", "application/json"),
    SuccessBody.TEXT: (b"OK", _TEXT),
    SuccessBody.HTML: (b"<!DOCTYPE html><html><body>OK</body></html>", _HTML),
    SuccessBody.OTHER_JSON: (b'{"result": {"accepted": true}}', "application/json"),
    SuccessBody.JSON_LIST: (b'["accepted"]', "application/json"),
    SuccessBody.JSON_TEXT: (b'"accepted"', "application/json"),
    SuccessBody.JSON_NULL: (b"null", "application/json"),
}
_NUMBER_IN_TEXT = re.compile(rb'("(?:cost/[a-z_]+|usage/amount)":)"(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?)"')
_NESTED = "result"


def accepted(summary: DropSummary, settings: Settings) -> Reply:
    """The reply to an accepted drop."""
    status = settings.success_status
    if status == 204:
        return bytes_reply(status, b"")
    if settings.success_body in _OTHER_BODIES:
        return bytes_reply(status, *_OTHER_BODIES[settings.success_body])
    body = _summary_json(summary, settings)
    wrapper = settings.drop_wrapper.value if settings.success_body is SuccessBody.OTHER_WRAPPER else "connection"
    return json_reply(status, body if wrapper == "none" else {wrapper: body})


def drop_list(summaries: Sequence[DropSummary], settings: Settings) -> Reply:
    """The reply with a stream's months."""
    drops = [_summary_json(summary, settings) for summary in summaries]
    wrapper = settings.list_wrapper
    if wrapper is ListWrapper.NONE:
        return json_reply(200, drops)
    if wrapper is ListWrapper.NESTED:
        return json_reply(200, {_NESTED: {ListWrapper.BILLING_DROPS.value: drops}})
    return json_reply(200, {wrapper.value: drops})


def _summary_json(summary: DropSummary, settings: Settings) -> dict[str, object]:
    month = str(summary.month) if settings.reply_month is ReplyMonth.YEAR_MONTH else summary.month.start
    shown: dict[str, object] = {"drop_id": summary.drop_id, "month": month}
    forms = {RowCountForm.NUMBER: summary.row_count, RowCountForm.TEXT: str(summary.row_count), RowCountForm.NULL: None}
    if settings.row_count_form in forms:
        shown["row_count"] = forms[settings.row_count_form]
    return shown


_CONTENTS_WRAPPERS = {
    ContentsWrapper.NONE: (b"", b""),
    ContentsWrapper.NESTED: (b'{"%s":{"billing_drop":' % _NESTED.encode(), b"}}"),
}


def month_contents(contents: MonthContents, settings: Settings) -> Reply:
    """The reply with a month's rows, in pieces."""
    wrapper = settings.contents_wrapper
    before, after = _CONTENTS_WRAPPERS.get(wrapper, (b'{"%s":' % wrapper.value.encode(), b"}"))
    rows, length = contents.pieces, contents.length
    if settings.contents_numbers is ContentsNumbers.NUMBER:
        # The length is known only after the conversion.
        with_numbers = _NUMBER_IN_TEXT.sub(rb"\1\2", b"".join(rows))
        rows, length = iter((with_numbers,)), len(with_numbers)

    def pieces() -> Iterator[bytes]:
        yield before
        yield from rows
        yield after

    return Reply(200, len(before) + length + len(after), pieces)
