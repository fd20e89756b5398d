"""Settings for AnyCost's successful replies, where CloudZero's behavior is not published."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cloudzero_provider.sandbox.settings.fields import one_of


class RowCountMeans(Enum):
    """What ``row_count`` counts in the list of drops and in the reply to a drop."""

    MONTH = "month"
    REQUEST = "request"


class RowCountForm(Enum):
    """The form of ``row_count``."""

    NUMBER = "number"
    TEXT = "text"
    NULL = "null"
    MISSING = "missing"


class ReplyMonth(Enum):
    """The format of a month in a reply."""

    DATETIME = "datetime"
    YEAR_MONTH = "year_month"


class SuccessBody(Enum):
    """The body of the reply to an accepted drop."""

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
    """The key around an accepted drop, instead of the documented one."""

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
    """The form of numbers in a month's rows."""

    TEXT = "text"
    NUMBER = "number"


@dataclass(frozen=True)
class ReplySettings:
    """
    Settings for AnyCost's replies.

    https://docs.cloudzero.com/reference/createoneanycoststreamconnectionbillingdrop

    ``row_count_means``: the month's rows after the operation, or the rows of the last request for the month.
    ``row_count_form``: the schema has a number.
    ``reply_month``: the format of a month in replies; the schema has a full datetime.
    ``success_body``, ``success_status``: the reply to an accepted drop.
    ``drop_wrapper``: the key around it when ``success_body`` is ``other_wrapper``.
    ``list_wrapper``, ``contents_wrapper``: the keys around the list of drops and around a month's rows.
    ``contents_numbers``: the schema has strings, as in requests.
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
