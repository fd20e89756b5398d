"""
The columns of the Common Bill Format and their rules.

https://docs.cloudzero.com/docs/anycost-common-bill-format-cbf and the schema ``cbf_row`` of
https://docs.cloudzero.com/reference/createoneanycoststreamconnectionbillingdrop
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.common.json_text import NotJsonError, parse_json
from cloudzero_provider.sandbox.common.months import parse_cbf_time
from cloudzero_provider.sandbox.settings.anycost import NegativeNumbers, TagKeyLetters, UnknownColumns
from cloudzero_provider.sandbox.settings.fields import Permission
from cloudzero_provider.sandbox.settings.parsing import CbfTimes, Labels

if TYPE_CHECKING:
    from cloudzero_provider.sandbox.settings.all_settings import Settings

Check = Callable[[str], "str | None"]

USAGE_START = "time/usage_start"
COST = "cost/cost"
RESOURCE_ID = "resource/id"
SERVICE = "resource/service"
TAG_PREFIX = "resource/tag:"
REQUIRED_COLUMNS = (USAGE_START, COST)
COST_COLUMNS = (
    COST,
    "cost/discounted_cost",
    "cost/amortized_cost",
    "cost/discounted_amortized_cost",
    "cost/on_demand_cost",
)
_AMOUNT = "usage/amount"
_TIMES = (USAGE_START, "time/usage_end")
_TYPE = "lineitem/type"
_LABELS = "k8s/labels"
_STRING_COLUMNS = (
    "lineitem/id",
    "lineitem/description",
    RESOURCE_ID,
    SERVICE,
    "resource/account",
    "resource/region",
    "resource/usage_family",
    "action/operation",
    "action/usage_type",
    "action/region",
    "action/account",
    "usage/units",
    "bill/invoice_id",
    "k8s/cluster",
    "k8s/namespace",
    "k8s/deployment",
)
_SCHEMA_COLUMNS = frozenset((*COST_COLUMNS, *_TIMES, *_STRING_COLUMNS, _AMOUNT, _TYPE, _LABELS))

_SCHEMA_TYPES = (
    "Usage", "Tax", "Support", "Purchase", "CommittedUsePurchase", "Discount", "Credit", "Fee", "Adjustment",
)  # fmt: skip
_GUIDE_ONLY_TYPES = ("CommittedUseVacancy", "CommittedUseRecurringFee")

_UNSIGNED = re.compile(r"[0-9]+(\.[0-9]+)?")
_SIGNED = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_TAG_KEYS = {
    TagKeyLetters.ASCII: re.compile(r"[A-Za-z0-9_.:/=+@-]+"),
    TagKeyLetters.UNICODE: re.compile(r"(?:[^\W_]|[_.:/=+@-])+"),
}


def is_tag(column: str) -> bool:
    """Whether a column holds a tag."""
    return column.startswith(TAG_PREFIX)


def column_problem(column: str, settings: Settings) -> str | None:
    """Return what is wrong with a column's name, or None."""
    if is_tag(column):
        if _TAG_KEYS[settings.tag_key_letters].fullmatch(column[len(TAG_PREFIX) :]):
            return None
        return "a tag's key may contain only letters, digits and _ . : / = + - @"
    if column not in _SCHEMA_COLUMNS and settings.unknown_columns is UnknownColumns.REFUSE:
        return "is not a column in the API's schema"
    return None


def is_ignored(column: str, settings: Settings) -> bool:
    """Whether a column is accepted but not stored."""
    unknown = column not in _SCHEMA_COLUMNS and not is_tag(column)
    return unknown and settings.unknown_columns is UnknownColumns.IGNORE


def value_check(column: str, settings: Settings) -> Check | None:
    """Return the check of a column's values, or None if every string is allowed."""
    if column in COST_COLUMNS:
        blank_allowed = settings.blank_numbers is Permission.ACCEPT and column not in REQUIRED_COLUMNS
        return _number_check(
            signed=settings.negative_numbers is not NegativeNumbers.REFUSE, blank_allowed=blank_allowed
        )
    if column == _AMOUNT:
        signed = settings.negative_numbers is NegativeNumbers.ACCEPT
        return _number_check(signed=signed, blank_allowed=settings.blank_numbers is Permission.ACCEPT)
    if column in _TIMES:
        return _time_check(settings.cbf_times)
    if column == _TYPE:
        return _type_check(settings)
    if column == _LABELS:
        return _labels_check(settings)
    if is_tag(column) and settings.blank_tags is Permission.REFUSE:
        return _blank_tag_problem
    return None


def _number_check(*, signed: bool, blank_allowed: bool) -> Check:
    matches = (_SIGNED if signed else _UNSIGNED).fullmatch
    sign = "" if signed else ", without a minus sign"
    problem = f"must be a decimal number{sign}, without an exponent"

    def check(value: str) -> str | None:
        if matches(value) or (blank_allowed and not value):
            return None
        return problem

    return check


def _time_check(times: CbfTimes) -> Check:
    def check(value: str) -> str | None:
        try:
            parse_cbf_time(value, times)
        except ValueError as error:
            return str(error)
        return None

    return check


def _type_check(settings: Settings) -> Check:
    guide_only = _GUIDE_ONLY_TYPES if settings.guide_only_lineitem_types is Permission.ACCEPT else ()
    allowed = (*_SCHEMA_TYPES, *guide_only)
    problem = f"must be one of {', '.join(allowed)}"

    def check(value: str) -> str | None:
        return None if value in allowed else problem

    return check


def _labels_check(settings: Settings) -> Check | None:
    if settings.labels is Labels.ANY:
        return None

    def check(value: str) -> str | None:
        if not value and settings.labels is Labels.JSON_OR_BLANK:
            return None
        try:
            labels = parse_json(value, settings.duplicate_json_keys)
        except NotJsonError as error:
            return f"must be a string of a JSON object: {error}"
        return None if isinstance(labels, dict) else "must be a string of a JSON object"

    return check


def _blank_tag_problem(value: str) -> str | None:
    return None if value else "must not be blank; leave out a tag without a value"
