"""What CloudZero has not published about AnyCost's replies of success, as settings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cloudzero_provider.sandbox.settings.fields import one_of


class RowCountMeans(Enum):
    """What ``row_count`` counts, where drops are listed and in the reply to one."""

    MONTH = "month"
    REQUEST = "request"


class RowCountForm(Enum):
    """How ``row_count`` is written."""

    NUMBER = "number"
    TEXT = "text"
    NULL = "null"
    MISSING = "missing"


class ReplyMonth(Enum):
    """How a reply spells a month."""

    DATETIME = "datetime"
    YEAR_MONTH = "year_month"


class SuccessBody(Enum):
    """What the reply to an accepted drop has in it."""

    DOCUMENTED = "documented"
    EMPTY = "empty"
    TEXT = "text"
    HTML = "html"
    OTHER_WRAPPER = "other_wrapper"
    OTHER_JSON = "other_json"
    JSON_LIST = "json_list"
    JSON_TEXT = "json_text"
    JSON_NULL = "json_null"


class DropWrapper(Enum):
    """The key around an accepted drop in place of the documented one."""

    BILLING_DROP = "billing_drop"
    DATA = "data"
    NONE = "none"


class ListWrapper(Enum):
    """The key around the list of drops; ``nested`` has two."""

    BILLING_DROPS = "billing_drops"
    DATA = "data"
    NONE = "none"
    NESTED = "nested"


class ContentsWrapper(Enum):
    """The key around a month's rows; ``nested`` has two."""

    BILLING_DROP = "billing_drop"
    DATA = "data"
    NONE = "none"
    NESTED = "nested"


class ContentsNumbers(Enum):
    """How the numbers of a month's rows are written."""

    TEXT = "text"
    NUMBER = "number"


@dataclass(frozen=True)
class ReplySettings:
    """
    The settings of AnyCost's replies.

    https://docs.cloudzero.com/reference/createoneanycoststreamconnectionbillingdrop

    ``row_count_means``: rows of the month after the operation, or of the last request for it.
    ``row_count_form``: the schema has a number.
    ``reply_month``: how replies spell it; the schema has a full datetime.
    ``success_body``, ``success_status``: the reply to an accepted drop.
    ``drop_wrapper``: the key around it when ``success_body`` is ``other_wrapper``.
    ``list_wrapper``, ``contents_wrapper``: the keys around the list of drops and around a month's rows.
    ``contents_numbers``: the schema has texts, as in what is sent.
    """

    row_count_means: RowCountMeans = RowCountMeans.MONTH
    row_count_form: RowCountForm = RowCountForm.NUMBER
    reply_month: ReplyMonth = ReplyMonth.DATETIME
    success_body: SuccessBody = SuccessBody.DOCUMENTED
    success_status: int = one_of(200, 201, 202, 203, 204)
    drop_wrapper: DropWrapper = DropWrapper.BILLING_DROP
    list_wrapper: ListWrapper = ListWrapper.BILLING_DROPS
    contents_wrapper: ContentsWrapper = ContentsWrapper.BILLING_DROP
    contents_numbers: ContentsNumbers = ContentsNumbers.TEXT
