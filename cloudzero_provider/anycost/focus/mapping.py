"""The mapping of FOCUS to CBF as data: the columns that are read, and the source of each CBF column."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cloudzero_provider.anycost.columns import COST, RESOURCE_ID, TAG_PREFIX, USAGE_START

#: Increases when a charge would become a different row.
MAPPING_VERSION = 2


class ValueKind(Enum):
    """The kind of values in a FOCUS column, as errors name it."""

    TEXT = "text"
    NUMBER = "numbers"
    TIME = "times"
    TAGS = "tags: a JSON object as text, a Struct, a Map, or a List of Struct with key and value"


@dataclass(frozen=True)
class FocusColumn:
    """
    A column of FOCUS 1.0 to 1.4 that is used for CBF.

    :param name: FOCUS name.
    :param kind: kind of its values.
    :param required: whether every charge must have a value.
    """

    name: str
    kind: ValueKind = ValueKind.TEXT
    required: bool = False


FOCUS_COLUMNS = {
    column.name: column
    for column in (
        FocusColumn("BilledCost", ValueKind.NUMBER, required=True),
        FocusColumn("ChargePeriodStart", ValueKind.TIME, required=True),
        FocusColumn("ChargeCategory", required=True),
        FocusColumn("EffectiveCost", ValueKind.NUMBER),
        FocusColumn("ListCost", ValueKind.NUMBER),
        FocusColumn("ConsumedQuantity", ValueKind.NUMBER),
        FocusColumn("PricingQuantity", ValueKind.NUMBER),
        FocusColumn("ChargePeriodEnd", ValueKind.TIME),
        FocusColumn("BillingPeriodStart", ValueKind.TIME),
        FocusColumn("BillingPeriodEnd", ValueKind.TIME),
        FocusColumn("Tags", ValueKind.TAGS),
        FocusColumn("AllocatedTags", ValueKind.TAGS),  # 1.3
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

#: FOCUS column → its name in version 0.5 or 1.0-preview.
OLDER_NAMES = {
    "ChargeCategory": "ChargeType",
    "EffectiveCost": "AmortizedCost",
    "ConsumedQuantity": "UsageQuantity",
    "ConsumedUnit": "UsageUnit",
    "ProviderName": "Provider",
    "RegionId": "Region",
}

REQUIRED = tuple(name for name, column in FOCUS_COLUMNS.items() if column.required)

#: CBF column → FOCUS columns; the first that has a value in a row is copied unchanged.
COPIED_FROM = {
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

#: CBF column → FOCUS columns that it is derived from by a rule.
DERIVED_FROM = {
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
#: ChargeCategory in lower case → line item type.
LINEITEM_TYPES = {
    "usage": USAGE,
    "purchase": PURCHASE,
    "tax": "Tax",
    "credit": CREDIT,
    "adjustment": ADJUSTMENT,
}
#: Values of ChargeSubcategory in 1.0-preview, in lower case. The first two change the line item type.
UNUSED_COMMITMENT, CREDIT_SUBCATEGORY = "unused commitment", "credit"
SUBCATEGORIES = frozenset(
    {UNUSED_COMMITMENT, CREDIT_SUBCATEGORY, "on-demand", "used commitment", "refund", "rounding error"}
    | {"general adjustment"}
)
COMMITMENT_PURCHASE = "CommittedUsePurchase"

NO_REGION = "no-region"
#: Sent in place of a missing ResourceType.
NO_RESOURCE_TYPE = "resource"
