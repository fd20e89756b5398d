"""FOCUS to CBF, as data: which columns are read, and what each CBF column is made of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cloudzero_provider.anycost.columns import COST, RESOURCE_ID, TAG_PREFIX, USAGE_START

#: Grows with every change of what a row becomes.
MAPPING_VERSION = 2


class Holds(Enum):
    """What the values of a FOCUS column are."""

    TEXT = "text"
    NUMBER = "numbers"
    TIME = "times"
    TAGS = "tags: a JSON object as text, a Struct, a Map, or a List of Struct with key and value"


@dataclass(frozen=True)
class FocusColumn:
    """
    One column of FOCUS, 1.0 to 1.4, that has a place in CBF.

    :param name: as FOCUS writes it.
    :param holds: what its values are.
    :param required: whether every charge must have a value.
    """

    name: str
    holds: Holds = Holds.TEXT
    required: bool = False


FOCUS_COLUMNS = {
    column.name: column
    for column in (
        FocusColumn("BilledCost", Holds.NUMBER, required=True),
        FocusColumn("ChargePeriodStart", Holds.TIME, required=True),
        FocusColumn("ChargeCategory", required=True),
        FocusColumn("EffectiveCost", Holds.NUMBER),
        FocusColumn("ListCost", Holds.NUMBER),
        FocusColumn("ConsumedQuantity", Holds.NUMBER),
        FocusColumn("PricingQuantity", Holds.NUMBER),
        FocusColumn("ChargePeriodEnd", Holds.TIME),
        FocusColumn("BillingPeriodStart", Holds.TIME),
        FocusColumn("BillingPeriodEnd", Holds.TIME),
        FocusColumn("Tags", Holds.TAGS),
        FocusColumn("AllocatedTags", Holds.TAGS),  # 1.3
        *map(
            FocusColumn,
            (
                "AllocatedResourceId",  # 1.3
                "BillingAccountId",
                "BillingCurrency",
                "ChargeDescription",
                "ChargeFrequency",
                "ChargeSubcategory",  # 1.0-preview only
                "CommitmentDiscountId",
                "CommitmentDiscountStatus",
                "ConsumedUnit",
                "InvoiceId",  # 1.2
                "PricingCategory",
                "PricingUnit",
                "ProviderName",  # gone in 1.4
                "RegionId",
                "ResourceId",
                "ResourceType",
                "ServiceName",
                "ServiceProviderName",  # 1.3
                "ServiceSubcategory",  # 1.1
                "SkuId",
                "SkuMeter",  # 1.1
                "SubAccountId",
            ),
        ),
    )
}

#: FOCUS column → the name that it had in version 0.5 or 1.0-preview.
OLDER_NAMES = {
    "ChargeCategory": "ChargeType",
    "EffectiveCost": "AmortizedCost",
    "ConsumedQuantity": "UsageQuantity",
    "ConsumedUnit": "UsageUnit",
    "ProviderName": "Provider",
    "RegionId": "Region",
}

REQUIRED = tuple(name for name, column in FOCUS_COLUMNS.items() if column.required)

#: CBF column → FOCUS columns; the first that has a value in a row gives it, unchanged.
FIRST_OF = {
    COST: ("BilledCost",),
    "cost/amortized_cost": ("EffectiveCost",),
    "cost/discounted_amortized_cost": ("EffectiveCost",),
    "cost/on_demand_cost": ("ListCost",),
    "lineitem/description": ("ChargeDescription",),
    "lineitem/cloud_provider": ("ServiceProviderName", "ProviderName"),
    "resource/service": ("ServiceName",),
    "resource/usage_family": ("ServiceSubcategory", "SkuMeter"),
    "resource/account": ("SubAccountId", "BillingAccountId"),
    "action/usage_type": ("SkuMeter", "SkuId"),
    "action/operation": ("PricingCategory",),
    "bill/invoice_id": ("InvoiceId",),
}

#: CBF column → FOCUS columns that a rule of its own makes it of.
MADE_OF = {
    USAGE_START: ("ChargePeriodStart", "BillingPeriodStart", "BillingPeriodEnd"),
    "time/usage_end": ("ChargePeriodEnd",),
    "lineitem/type": (
        "ChargeCategory",
        "ChargeSubcategory",
        "ChargeFrequency",
        "CommitmentDiscountId",
        "CommitmentDiscountStatus",
    ),
    RESOURCE_ID: ("ResourceType", "ResourceId", "AllocatedResourceId"),
    "resource/region": ("RegionId",),
    "usage/amount": ("ConsumedQuantity", "PricingQuantity"),
    "usage/units": ("ConsumedUnit", "PricingUnit"),
    TAG_PREFIX: ("Tags", "AllocatedTags"),
}

USAGE, PURCHASE, CREDIT, ADJUSTMENT = "Usage", "Purchase", "Credit", "Adjustment"
#: ChargeCategory, in small letters → line item type.
LINEITEM_TYPE_OF = {
    "usage": USAGE,
    "purchase": PURCHASE,
    "tax": "Tax",
    "credit": CREDIT,
    "adjustment": ADJUSTMENT,
}
#: What 1.0-preview's ChargeSubcategory may say, in small letters. The first two change what a row becomes.
UNUSED_COMMITMENT, CREDIT_SUBCATEGORY = "unused commitment", "credit"
SUBCATEGORIES = frozenset(
    {UNUSED_COMMITMENT, CREDIT_SUBCATEGORY, "on-demand", "used commitment", "refund", "rounding error"}
    | {"general adjustment"}
)
COMMITMENT_PURCHASE = "CommittedUsePurchase"

NO_REGION = "no-region"
#: What stands for a ResourceType that a row does not have.
NO_RESOURCE_TYPE = "resource"
