"""The columns of each FOCUS version: detect the version of rows, and columns that no version has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

VERSIONS = ("0.5", "1.0-preview", "1.0", "1.1", "1.2", "1.3", "1.4")
NEWEST = VERSIONS[-1]

# Columns of the dataset "Cost and Usage". Some exports of 1.0-preview use display names: Provider, InvoiceIssuer.
_ADDED = {
    "0.5": """
        AmortizedCost AvailabilityZone BilledCost BillingAccountId BillingAccountName BillingCurrency BillingPeriodEnd
        BillingPeriodStart ChargePeriodEnd ChargePeriodStart ChargeType InvoiceIssuer InvoiceIssuerName Provider
        ProviderName Publisher PublisherName Region ResourceId ResourceName ServiceCategory ServiceName SubAccountId
        SubAccountName""",
    "1.0-preview": """
        ChargeCategory ChargeDescription ChargeFrequency ChargeSubcategory CommitmentDiscountCategory
        CommitmentDiscountId CommitmentDiscountName CommitmentDiscountType EffectiveCost ListCost ListUnitPrice
        PricingCategory PricingQuantity PricingUnit ResourceType SkuId SkuPriceId Tags UsageQuantity UsageUnit""",
    "1.0": """
        ChargeClass CommitmentDiscountStatus ConsumedQuantity ConsumedUnit ContractedCost ContractedUnitPrice RegionId
        RegionName""",
    "1.1": """
        CapacityReservationId CapacityReservationStatus CommitmentDiscountQuantity CommitmentDiscountUnit
        ServiceSubcategory SkuMeter SkuPriceDetails""",
    "1.2": """
        BillingAccountType InvoiceId PricingCurrency PricingCurrencyContractedUnitPrice PricingCurrencyEffectiveCost
        PricingCurrencyListUnitPrice SubAccountType""",
    "1.3": """
        AllocatedMethodDetails AllocatedMethodId AllocatedResourceId AllocatedResourceName AllocatedTags ContractApplied
        HostProviderName ServiceProviderName""",
    "1.4": "CommitmentProgramEligibilityDetails InvoiceDetailId",
}
#: Version → columns that it removed.
_REMOVED = {
    "1.0-preview": "AmortizedCost ChargeType",
    "1.0": "ChargeSubcategory InvoiceIssuer Provider Publisher Region UsageQuantity UsageUnit",
    "1.4": "ProviderName PublisherName",
}


def _version_numbers(columns: dict[str, str]) -> dict[str, int]:
    return {name: VERSIONS.index(version) for version, names in columns.items() for name in names.split()}


#: Column → index of the first version that has it.
_FIRST_VERSION = _version_numbers(_ADDED)
#: Column → index of the version that removed it.
_REMOVED_IN = _version_numbers(_REMOVED)
#: FOCUS columns are in PascalCase, of at least two words except a few old ones; custom columns begin with ``x_``.
_LIKE_FOCUS = re.compile(r"([A-Z][a-z0-9]+){2,}")


def columns_of(version: str) -> frozenset[str]:
    """
    Return the columns of a version.

    :param version: one of :data:`VERSIONS`.
    """
    number = VERSIONS.index(version)
    return frozenset(
        name for name, first in _FIRST_VERSION.items() if first <= number < _REMOVED_IN.get(name, len(VERSIONS))
    )


def unknown_columns(names: Collection[str]) -> list[str]:
    """Return names that look like FOCUS columns but are in none of :data:`VERSIONS`."""
    return [name for name in names if name not in _FIRST_VERSION and _LIKE_FOCUS.fullmatch(name)]


def describe_versions(names: Collection[str]) -> str:
    """
    Describe the versions that have these columns.

    :param names: column names; those that are not in FOCUS are ignored.
    :return: like ``1.0-preview``, ``1.0 to 1.3``, or, if no version has all of them,
        ``several versions: 1.0-preview (Provider), 1.3 (AllocatedTags)``.
    """
    known = [name for name in names if name in _FIRST_VERSION]
    first = max((_FIRST_VERSION[name] for name in known), default=0)
    last = min((_REMOVED_IN[name] - 1 for name in known if name in _REMOVED_IN), default=len(VERSIONS) - 1)
    if first == last:
        return VERSIONS[first]
    if first < last:
        return f"{VERSIONS[first]} to {VERSIONS[last]}"
    old = [name for name in known if _REMOVED_IN.get(name, len(VERSIONS)) <= first]
    new = [name for name in known if _FIRST_VERSION[name] > last]
    return f"several versions: {VERSIONS[last]} ({', '.join(old)}), {VERSIONS[first]} ({', '.join(new)})"
