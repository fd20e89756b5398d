"""The columns of the Common Bill Format (https://docs.cloudzero.com/docs/anycost-common-bill-format-cbf)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from cloudzero_provider.values.did_you_mean import suggestion

CBF_PAGE = "https://docs.cloudzero.com/docs/anycost-common-bill-format-cbf"
SEND_PAGE = "https://docs.cloudzero.com/docs/anycost-send-stream-data"
BUCKET_PAGE = "https://docs.cloudzero.com/docs/anycost-bucket-getting-started"

TAG_PREFIX = "resource/tag:"
#: Letters, digits and ``_ . : / = + - @``; no white space (the CBF page, "Tags").
TAG_KEY = re.compile(r"[\w.:/=+\-@]+")
TAG_KEY_RULE = "a tag key is letters, digits and _ . : / = + - @, without white space"
REQUIRED_RULE = f"required in every row ({CBF_PAGE})"


class Kind(Enum):
    """The type of a column's values."""

    TEXT = "text"
    DECIMAL = "a decimal number"
    HOUR = "a timestamp, truncated to its hour"
    TIMESTAMP = "a timestamp"
    LINEITEM_TYPE = "one of the line item types"
    JSON_OBJECT = "a JSON object as text"


@dataclass(frozen=True)
class CbfColumn:
    """
    One column of the Common Bill Format.

    :param name: as in files and requests.
    :param kind: the type of its values.
    :param required: whether every row must have a value.
    :param fallbacks: for a cost column, the columns whose value CloudZero uses where this one is blank, the first that
        is not blank (the CBF page, "Precedence for cost columns").
    """

    name: str
    kind: Kind = Kind.TEXT
    required: bool = False
    fallbacks: tuple[str, ...] = ()


LINEITEM_TYPES = (
    "Usage",
    "Tax",
    "Support",
    "Purchase",
    "CommittedUsePurchase",
    "CommittedUseVacancy",
    "CommittedUseRecurringFee",
    "Discount",
    "Credit",
    "Fee",
    "Adjustment",
)
#: In the CBF guide, but not in the API's schema: CloudZero may reject them.
GUIDE_ONLY_LINEITEM_TYPES = frozenset({"CommittedUseVacancy", "CommittedUseRecurringFee"})

USAGE_START = "time/usage_start"
LINEITEM_TYPE = "lineitem/type"
COST = "cost/cost"
AMORTIZED_COST = "cost/amortized_cost"
DISCOUNTED_COST = "cost/discounted_cost"
DISCOUNTED_AMORTIZED_COST = "cost/discounted_amortized_cost"
ON_DEMAND_COST = "cost/on_demand_cost"
RESOURCE_ID = "resource/id"
USAGE_AMOUNT = "usage/amount"
USAGE_UNITS = "usage/units"

COLUMNS = {
    column.name: column
    for column in (
        CbfColumn("lineitem/id"),
        CbfColumn(LINEITEM_TYPE, Kind.LINEITEM_TYPE),
        CbfColumn("lineitem/description"),
        CbfColumn("lineitem/cloud_provider"),
        CbfColumn(USAGE_START, Kind.HOUR, required=True),
        CbfColumn("time/usage_end", Kind.TIMESTAMP),
        CbfColumn(RESOURCE_ID),
        CbfColumn("resource/service"),
        CbfColumn("resource/account"),
        CbfColumn("resource/region"),
        CbfColumn("resource/usage_family"),
        CbfColumn("action/operation"),
        CbfColumn("action/usage_type"),
        CbfColumn("action/region"),
        CbfColumn("action/account"),
        CbfColumn(USAGE_AMOUNT, Kind.DECIMAL),
        CbfColumn(USAGE_UNITS),
        CbfColumn(COST, Kind.DECIMAL, required=True),
        CbfColumn(DISCOUNTED_COST, Kind.DECIMAL, fallbacks=(COST,)),
        CbfColumn(AMORTIZED_COST, Kind.DECIMAL, fallbacks=(COST,)),
        CbfColumn(DISCOUNTED_AMORTIZED_COST, Kind.DECIMAL, fallbacks=(AMORTIZED_COST, DISCOUNTED_COST, COST)),
        CbfColumn(ON_DEMAND_COST, Kind.DECIMAL, fallbacks=(COST,)),
        CbfColumn("bill/invoice_id"),
        CbfColumn("k8s/cluster"),
        CbfColumn("k8s/namespace"),
        CbfColumn("k8s/deployment"),
        CbfColumn("k8s/labels", Kind.JSON_OBJECT),
    )
}

REQUIRED_COLUMNS = tuple(name for name, column in COLUMNS.items() if column.required)
COST_COLUMNS = tuple(name for name in COLUMNS if name.startswith("cost/"))


def is_tag(name: str) -> bool:
    """Whether a column is a resource tag."""
    return name.startswith(TAG_PREFIX)


def kind_of(name: str) -> Kind:
    """Return the type of a column's values; tags and unknown columns hold text."""
    column = COLUMNS.get(name)
    return column.kind if column else Kind.TEXT


def is_cost(name: str) -> bool:
    """Whether a column of the Common Bill Format holds a cost."""
    return name in COST_COLUMNS


def did_you_mean(name: str) -> str:
    """Suggest the known column that an unknown name resembles, for the end of a sentence; else an empty string."""
    return suggestion(name, COLUMNS)


def in_cbf_order(names: list[str]) -> list[str]:
    """Sort column names in the order of the documentation, then tags and others by name."""
    rank = {name: number for number, name in enumerate(COLUMNS)}
    return sorted(names, key=lambda name: (rank.get(name, len(rank)), name))
