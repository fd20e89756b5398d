"""FOCUS to CBF: every cell as a second implementation has it, which goes row by row in plain Python."""

from __future__ import annotations

import csv
import json
import re
from datetime import datetime, timezone
from decimal import Decimal

import polars as pl
from hypothesis import given, settings, strategies as st
from support.charges import check, frame_of
from support.real_data import real_data

from cloudzero_provider.anycost.focus import to_cbf

MISSING = (None, "", "NULL")
PLAIN = {
    "cost/cost": ["BilledCost"],
    "cost/amortized_cost": ["EffectiveCost"],
    "cost/discounted_amortized_cost": ["EffectiveCost"],
    "cost/on_demand_cost": ["ListCost"],
    "lineitem/description": ["ChargeDescription"],
    "lineitem/cloud_provider": ["ServiceProviderName", "ProviderName", "Provider"],
    "resource/service": ["ServiceName"],
    "resource/usage_family": ["ServiceSubcategory", "SkuMeter"],
    "resource/account": ["SubAccountId", "BillingAccountId"],
    "action/usage_type": ["SkuMeter", "SkuId"],
    "action/operation": ["PricingCategory"],
    "bill/invoice_id": ["InvoiceId"],
}


def number(text):
    plain = format(Decimal(text), "f")
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    return "0" if plain == "-0" else plain


def moment(text, **cut):
    given = datetime.fromisoformat(text.replace("Z", "+00:00"))
    in_utc = given.astimezone(timezone.utc) if given.tzinfo else given
    return f"{in_utc.replace(microsecond=0, **cut):%Y-%m-%dT%H:%M:%SZ}"


def by_hand(charge):
    def first(*names):
        return next((charge[name] for name in names if charge.get(name) not in MISSING), None)

    row = {name: first(*sources) for name, sources in PLAIN.items()}
    row |= {name: number(text) for name, text in row.items() if name.startswith("cost/") and text is not None}
    row["time/usage_start"] = moment(first("ChargePeriodStart"), minute=0, second=0)
    row["time/usage_end"] = moment(first("ChargePeriodEnd")) if first("ChargePeriodEnd") else None
    row["lineitem/type"] = lineitem_type(first)
    region = first("RegionId", "Region")
    row["resource/region"] = "no-region" if region is None or region.lower() == "global" else region
    for kind, units in (
        ("Pricing", ["PricingUnit"]),
        ("Usage", ["UsageUnit", "ConsumedUnit"]),
        ("Consumed", ["ConsumedUnit"] if first("UsageQuantity") else ["ConsumedUnit", "UsageUnit"]),
    ):
        quantity = first(f"{kind}Quantity")
        if quantity is not None:
            row |= {"usage/amount": number(quantity), "usage/units": first(*units)}
    resource = [part for part in (first("ResourceId"), first("AllocatedResourceId")) if part is not None]
    if resource:
        parts = (first("ResourceType") or "resource", "|".join(resource))
        row["resource/id"] = "/".join(re.sub("[:/]", "|", part) for part in parts)
        allocated = first("AllocatedTags") if first("AllocatedResourceId") else None
        tags = json.loads(first("Tags") or "{}")
        for key, value in (tags | {k: v for k, v in json.loads(allocated or "{}").items() if v}).items():
            row["resource/tag:" + re.sub(r"[^A-Za-z0-9_.:/=+\-@]", "_", key)] = value
    return {name: value for name, value in row.items() if value not in MISSING}


def lineitem_type(first):
    category = first("ChargeCategory").capitalize()
    if category != "Purchase" or first("CommitmentDiscountId") is None:
        return category
    return "CommittedUsePurchase"


def assert_every_cell_is_equal(charges, frame):
    found = check(to_cbf(frame)).frame.rows(named=True)
    expected = [by_hand(charge) for charge in charges]
    assert [{name: value for name, value in row.items() if value is not None} for row in found] == expected


def test_a_thousand_real_lines():
    sample = real_data("focus_sample.csv")
    with sample.open(encoding="utf-8", newline="") as file:
        charges = list(csv.DictReader(file))
    assert_every_cell_is_equal(charges, pl.read_csv(sample, infer_schema=False))


ABSENT = st.sampled_from(MISSING)
TEXTS = st.sampled_from(["a", "B", "é", " ", "0", "a:b/c", "global", *MISSING])
NUMBERS = st.sampled_from(["0", "-0", "1e-7", "-1.50E3", "+3", ".5", "5.", "007", "123456789012345678.125", "-0.000"])
TIMES = st.sampled_from(
    ["2024-09-01", "2024-09-30T23:59:59.999Z", "2024-09-01T01:00:00-05:00", "2024-09-10 10:30:00.123456"]
)
TAGS = st.dictionaries(st.sampled_from(["a", "b c", "x:y"]), st.sampled_from(["x", "ü", "NULL x", ""])).map(json.dumps)
CHARGES = st.fixed_dictionaries(
    {
        "BilledCost": NUMBERS,
        "ChargePeriodStart": TIMES,
        "ChargeCategory": st.sampled_from(["Usage", "usage", "PURCHASE", "Tax", "Credit", "Adjustment"]),
        "BillingCurrency": st.just("USD"),
        "ResourceId": st.sampled_from(["arn:a:b/c", "é", *MISSING]),
    },
    optional={
        **{name: TEXTS for names in PLAIN.values() for name in names if "Cost" not in name},
        **dict.fromkeys(
            ("RegionId", "ConsumedUnit", "PricingUnit", "CommitmentDiscountId", "Region", "UsageUnit"), TEXTS
        ),
        **dict.fromkeys(("EffectiveCost", "ListCost", "ConsumedQuantity", "PricingQuantity"), NUMBERS | ABSENT),
        "UsageQuantity": NUMBERS | ABSENT,
        "ChargePeriodEnd": TIMES | ABSENT,
        "AllocatedResourceId": st.sampled_from(["pod:a", "b", *MISSING]),
        "AllocatedTags": TAGS | ABSENT,
        "Tags": TAGS | ABSENT,
    },
)


@settings(deadline=None, max_examples=100)
@given(st.lists(CHARGES, min_size=1, max_size=5))
def test_charges_of_any_kind(charges):
    assert_every_cell_is_equal(charges, frame_of(*charges))
