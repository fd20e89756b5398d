"""The columns of FOCUS, version by version: which version rows are in, and what no version knows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

VERSIONS = ("0.5", "1.0-preview", "1.0", "1.1", "1.2", "1.3", "1.4")
NEWEST = VERSIONS[-1]

# Of the dataset "Cost and Usage". Some exports of the preview have display names for columns: Provider, InvoiceIssuer.
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
#: Version → columns that it no longer has.
_REMOVED = {
    "1.0-preview": "AmortizedCost ChargeType",
    "1.0": "ChargeSubcategory InvoiceIssuer Provider Publisher Region UsageQuantity UsageUnit",
    "1.4": "ProviderName PublisherName",
}


def _numbered(columns: dict[str, str]) -> dict[str, int]:
    return {name: VERSIONS.index(version) for version, names in columns.items() for name in names.split()}


#: Column → number of the first version that has it.
_FIRST = _numbered(_ADDED)
#: Column → number of the first version that no longer has it.
_GONE = _numbered(_REMOVED)
#: FOCUS names columns in PascalCase, of two words at least but for a few old ones; other columns begin with ``x_``.
_LIKE_FOCUS = re.compile(r"([A-Z][a-z0-9]+){2,}")


def columns_of(version: str) -> frozenset[str]:
    """
    List the columns of a version.

    :param version: one of :data:`VERSIONS`.
    """
    number = VERSIONS.index(version)
    return frozenset(name for name, first in _FIRST.items() if first <= number < _GONE.get(name, len(VERSIONS)))


def unknown_columns(names: Collection[str]) -> list[str]:
    """Find names that look like FOCUS's own and are of no version up to the newest that is known here."""
    return [name for name in names if name not in _FIRST and _LIKE_FOCUS.fullmatch(name)]


def recognised(names: Collection[str]) -> str:
    """
    Say which versions have these columns.

    :param names: of columns; those that FOCUS does not have say nothing.
    :return: like ``1.0-preview``, ``1.0 to 1.3``, or, where no version has all of them,
        ``several versions: 1.0-preview (Provider), 1.3 (AllocatedTags)``.
    """
    known = [name for name in names if name in _FIRST]
    first = max((_FIRST[name] for name in known), default=0)
    last = min((_GONE[name] - 1 for name in known if name in _GONE), default=len(VERSIONS) - 1)
    if first == last:
        return VERSIONS[first]
    if first < last:
        return f"{VERSIONS[first]} to {VERSIONS[last]}"
    old = [name for name in known if _GONE.get(name, len(VERSIONS)) <= first]
    new = [name for name in known if _FIRST[name] > last]
    return f"several versions: {VERSIONS[last]} ({', '.join(old)}), {VERSIONS[first]} ({', '.join(new)})"
