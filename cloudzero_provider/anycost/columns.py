"""The columns of the Common Bill Format, as data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from cloudzero_provider.values.did_you_mean import meant_by

CBF_PAGE = "https://docs.cloudzero.com/docs/anycost-common-bill-format-cbf"
SEND_PAGE = "https://docs.cloudzero.com/docs/anycost-send-stream-data"
API_PAGE = "https://docs.cloudzero.com/reference/createoneanycoststreamconnectionbillingdrop"
BUCKET_PAGE = "https://docs.cloudzero.com/docs/anycost-bucket-getting-started"

TAG_PREFIX = "resource/tag:"
#: Letters, digits and ``_ . : / = + - @``; no white space (the CBF page, "Tags").
TAG_KEY = re.compile(r"[\w.:/=+\-@]+")
TAG_KEY_RULE = "a tag key is letters, digits and _ . : / = + - @, without white space"
REQUIRED_RULE = f"every row needs a value ({CBF_PAGE})"


class Kind(Enum):
    """What the values of a column are."""

    TEXT = "text"
    DECIMAL = "a decimal number"
    HOUR = "a timestamp, taken as the start of its hour"
    TIMESTAMP = "a timestamp"
    LINEITEM_TYPE = "one of the line item types"
    JSON_OBJECT = "a JSON object as text"


@dataclass(frozen=True)
class CbfColumn:
    """
    One column of the Common Bill Format.

    :param name: as in the file and the request.
    :param kind: what its values are.
    :param required: whether every row must have a value.
    :param note: what else is documented.
    :param page: the public page it comes from.
    """

    name: str
    kind: Kind = Kind.TEXT
    required: bool = False
    note: str = ""
    page: str = CBF_PAGE


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
#: In the CBF guide, but not in the API's own list: CloudZero's API may refuse them.
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
        CbfColumn("lineitem/id", note="unique id of the line", page=API_PAGE),
        CbfColumn(LINEITEM_TYPE, Kind.LINEITEM_TYPE, note="without it, CloudZero takes Usage"),
        CbfColumn("lineitem/description"),
        CbfColumn("lineitem/cloud_provider", note="for example AWS, Azure, OpenAI"),
        CbfColumn(USAGE_START, Kind.HOUR, required=True, note="in UTC; one charge belongs to one hour"),
        CbfColumn("time/usage_end", Kind.TIMESTAMP, note="not used by CloudZero today"),
        CbfColumn(
            RESOURCE_ID,
            note="required with tags; CloudZero splits it into type and id at the first ':' or '/' "
            "and drops what follows a second one",
        ),
        CbfColumn("resource/service"),
        CbfColumn("resource/account"),
        CbfColumn("resource/region", note="without it, CloudZero takes no-region"),
        CbfColumn("resource/usage_family"),
        CbfColumn("action/operation"),
        CbfColumn("action/usage_type"),
        CbfColumn("action/region", note="deprecated: use resource/region"),
        CbfColumn("action/account", note="deprecated: use resource/account"),
        CbfColumn(USAGE_AMOUNT, Kind.DECIMAL, note="without it, CloudZero takes 1.0"),
        CbfColumn(USAGE_UNITS, note="without it, CloudZero takes 1"),
        CbfColumn(COST, Kind.DECIMAL, required=True, note="negative for discounts and credits"),
        CbfColumn(DISCOUNTED_COST, Kind.DECIMAL, note="blank: falls back to cost; 0 stays 0"),
        CbfColumn(AMORTIZED_COST, Kind.DECIMAL, note="blank: falls back to cost; 0 stays 0"),
        CbfColumn(
            DISCOUNTED_AMORTIZED_COST,
            Kind.DECIMAL,
            note="blank: falls back to amortized, discounted, cost; 0 stays 0",
        ),
        CbfColumn(ON_DEMAND_COST, Kind.DECIMAL, note="blank: falls back to cost; 0 stays 0"),
        CbfColumn("bill/invoice_id", note="leave it out until the invoice is closed"),
        CbfColumn("k8s/cluster"),
        CbfColumn("k8s/namespace"),
        CbfColumn("k8s/deployment"),
        CbfColumn("k8s/labels", Kind.JSON_OBJECT, note='for example {"app": "frontend"}'),
    )
}

#: Cost column → where CloudZero takes a blank one from, the first that is not blank (the CBF page, "Precedence for cost
#: columns").
COST_FALLBACKS = {
    COST: (),
    DISCOUNTED_COST: (COST,),
    AMORTIZED_COST: (COST,),
    DISCOUNTED_AMORTIZED_COST: (AMORTIZED_COST, DISCOUNTED_COST, COST),
    ON_DEMAND_COST: (COST,),
}

REQUIRED_COLUMNS = tuple(name for name, column in COLUMNS.items() if column.required)


def is_tag(name: str) -> bool:
    """Whether a column is a resource tag."""
    return name.startswith(TAG_PREFIX)


def kind_of(name: str) -> Kind:
    """What the values of a column are; tags and unknown columns are text."""
    column = COLUMNS.get(name)
    return column.kind if column else Kind.TEXT


def is_cost(name: str) -> bool:
    """Whether a column holds money."""
    return name.startswith("cost/") and name in COLUMNS


def did_you_mean(name: str) -> str:
    """Name the column that an unknown one looks like, for the end of a sentence; nothing when there is none."""
    return meant_by(name, COLUMNS)


def in_cbf_order(names: list[str]) -> list[str]:
    """Sort columns as the documentation lists them, then tags and others by name."""
    rank = {name: number for number, name in enumerate(COLUMNS)}
    return sorted(names, key=lambda name: (rank.get(name, len(rank)), name))
