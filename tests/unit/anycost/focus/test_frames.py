"""FOCUS to CBF: frames of all versions and types, and costs that are nowhere lost."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Context, Decimal

import polars as pl
import pytest
from hypothesis import given, settings, strategies as st
from support.charges import charge, check, frame_of

from cloudzero_provider.anycost.focus import to_cbf
from cloudzero_provider.exceptions import InputError, InvalidRowsError


def words(text: str) -> list[str]:
    return text.split()


V1_0 = words("""
AvailabilityZone BilledCost BillingAccountId BillingAccountName BillingCurrency BillingPeriodEnd BillingPeriodStart
ChargeCategory ChargeClass ChargeDescription ChargeFrequency ChargePeriodEnd ChargePeriodStart
CommitmentDiscountCategory CommitmentDiscountId CommitmentDiscountName CommitmentDiscountStatus CommitmentDiscountType
ConsumedQuantity ConsumedUnit ContractedCost ContractedUnitPrice EffectiveCost InvoiceIssuerName ListCost ListUnitPrice
PricingCategory PricingQuantity PricingUnit ProviderName PublisherName RegionId RegionName ResourceId ResourceName
ResourceType ServiceCategory ServiceName SkuId SkuPriceId SubAccountId SubAccountName Tags
""")
V1_1 = V1_0 + words("""
CapacityReservationId CapacityReservationStatus CommitmentDiscountQuantity CommitmentDiscountUnit ServiceSubcategory
SkuMeter SkuPriceDetails
""")
V1_2 = V1_1 + words("""
BillingAccountType InvoiceId PricingCurrency PricingCurrencyContractedUnitPrice PricingCurrencyEffectiveCost
PricingCurrencyListUnitPrice SubAccountType
""")
V1_3 = V1_2 + words("""
AllocatedMethodDetails AllocatedMethodId AllocatedResourceId AllocatedResourceName AllocatedTags ContractApplied
HostProviderName ServiceProviderName
""")
V1_4 = [name for name in V1_3 if name not in ("ProviderName", "PublisherName")] + words("""
CommitmentProgramEligibilityDetails InvoiceDetailId
""")

TEXT = pl.DataFrame(
    {
        "BilledCost": ["0.00000080000", "-2.6137", "4.25", "12"],
        "EffectiveCost": ["0", "-3", "0.125", ""],
        "ListCost": ["1.5", "", "2", "3"],
        "ConsumedQuantity": ["2", "NULL", "-0.25", "7"],
        "PricingQuantity": ["1", "4", "5", "6"],
        "ConsumedUnit": ["GB", "", "GB", "GB"],
        "PricingUnit": ["Units", "Hours", "", ""],
        "ChargePeriodStart": ["2024-09-18 22:00:00", "2024-09-01", "2024-09-30 23:59:59", "2024-09-18 22:00:00"],
        "ChargePeriodEnd": ["2024-09-18 23:00:00", "2024-09-02", "NULL", "2024-09-18 23:00:00"],
        "BillingPeriodStart": ["2024-09-01", "2024-09-01", "2024-10-01", "2024-09-01"],
        "BillingCurrency": ["USD"] * 4,
        "ChargeCategory": ["Usage", "Credit", "Usage", "Purchase"],
        "SubAccountId": ["12", "12", "NULL", "7"],
        "ResourceId": ["1", "", "2", "3"],
        "ServiceName": ["Queues", "NULL", "Queues", ""],
        "Tags": ['{"a": "1", "b": "x"}', "NULL", "{}", '{"b": "y"}'],
    }
)
NUMBERS = ["BilledCost", "EffectiveCost", "ListCost", "ConsumedQuantity", "PricingQuantity"]
TIMES = ["ChargePeriodStart", "ChargePeriodEnd", "BillingPeriodStart"]


def times(unit: str) -> list[pl.Expr]:
    return [
        pl.when(pl.col(name).str.len_chars() == 10)
        .then(pl.col(name) + " 00:00:00")
        .otherwise(pl.col(name))
        .str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit=unit)
        for name in TIMES
    ]


ABSENT = TEXT.with_columns(pl.when(~pl.all().is_in(["", "NULL"])).then(pl.all()))


def meaning(frame: pl.DataFrame) -> list[dict[str, object]]:
    """The rows as they are sent, with numbers as numbers: ``1.50`` and ``1.5`` are one."""
    sent = check(frame).frame
    numbers = [name for name in sent.columns if name.startswith("cost/") or name == "usage/amount"]
    return [
        {name: Decimal(value) if name in numbers else value for name, value in row.items() if value is not None}
        for row in sent.rows(named=True)
    ]


@pytest.mark.parametrize("names", [V1_0, V1_1, V1_2, V1_3, V1_4], ids=["1.0", "1.1", "1.2", "1.3", "1.4"])
def test_the_columns_of_each_version(names):
    values = {name: name for name in names} | charge(
        EffectiveCost="1",
        ListCost="2",
        ConsumedQuantity="3",
        ChargePeriodEnd="2024-09-18 23:00:00",
        Tags='{"a": "1"}',
        AllocatedTags='{"b": "2"}',
    )
    has = set(names)
    [row] = check(to_cbf(frame_of(values).select(names))).frame.rows(named=True)
    assert row["lineitem/cloud_provider"] == ("ServiceProviderName" if "ServiceProviderName" in has else "ProviderName")
    assert row.get("resource/usage_family") == ("ServiceSubcategory" if "ServiceSubcategory" in has else None)
    assert row["action/usage_type"] == ("SkuMeter" if "SkuMeter" in has else "SkuId")
    assert row.get("bill/invoice_id") == ("InvoiceId" if "InvoiceId" in has else None)
    split = "AllocatedResourceId" in has
    assert row["resource/id"] == ("ResourceType/ResourceId|AllocatedResourceId" if split else "ResourceType/ResourceId")
    assert row.get("resource/tag:b") == ("2" if split else None)
    assert row["resource/account"] == "SubAccountId"
    assert row["resource/tag:a"] == "1"


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param(ABSENT, id="nulls"),
        pytest.param(ABSENT.with_columns(pl.col(NUMBERS).cast(pl.Decimal(38, 11))), id="decimals"),
        pytest.param(ABSENT.with_columns(pl.col(NUMBERS).cast(pl.Float64)), id="floats"),
        pytest.param(
            ABSENT.with_columns(
                ConsumedQuantity=pl.col("ConsumedQuantity").cast(pl.Float64),
                PricingQuantity=pl.col("PricingQuantity").cast(pl.Int64),
            ),
            id="quantities of two types",
        ),
        pytest.param(ABSENT.with_columns(times("us")), id="times"),
        pytest.param(
            ABSENT.with_columns(
                time.dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Kolkata") for time in times("ns")
            ),
            id="times with a zone",
        ),
        pytest.param(ABSENT.with_columns(pl.col("SubAccountId", "ResourceId").cast(pl.Int64)), id="ids as whole numbers"),
        pytest.param(
            ABSENT.with_columns(pl.col("ChargeCategory", "ServiceName", "BillingCurrency").cast(pl.Categorical)),
            id="categories",
        ),
        pytest.param(
            TEXT.with_columns(pl.col("ServiceName").cast(pl.Enum(["Queues", "NULL", ""]))), id="categories with NULL"
        ),
        pytest.param(
            ABSENT.with_columns(Tags=pl.Series([{"a": "1", "b": "x"}, None, {"a": None, "b": None}, {"a": None, "b": "y"}])),
            id="tags in a struct",
        ),
        pytest.param(
            ABSENT.with_columns(
                Tags=pl.Series(
                    [[{"key": "a", "value": "1"}, {"key": "b", "value": "x"}], None, [], [{"key": "b", "value": "y"}]]
                )
            ),
            id="tags in a map",
        ),
        pytest.param(pl.concat([ABSENT[:2], ABSENT[2:]], rechunk=False), id="chunks"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("options", [{}, {"negative_quantity": "zero"}], ids=["", "zero"])
def test_typed_columns_are_the_same_as_text(typed, options):
    expected = meaning(to_cbf(TEXT, **options))
    assert len(expected) == 4
    assert expected[0]["cost/cost"] == Decimal("0.0000008")
    assert meaning(to_cbf(typed, **options)) == expected


def test_dates():
    days = frame_of(charge(), charge()).with_columns(
        ChargePeriodStart=pl.Series([date(2024, 9, 2), date(2024, 9, 3)]),
        BillingPeriodStart=pl.Series([datetime(2024, 10, 1, tzinfo=timezone.utc), datetime(2024, 9, 1, tzinfo=timezone.utc)]),
    )  # fmt: skip
    rows = to_cbf(days, month_from="billing_period")["time/usage_start"].to_list()
    assert rows == ["2024-10-01T00:00:00Z", "2024-09-03T00:00:00Z"]


def test_typed_costs_keep_their_types():
    frame = to_cbf(frame_of(charge()).with_columns(pl.col("BilledCost").cast(pl.Decimal(38, 4)), EffectiveCost=0.1))
    assert (frame["cost/cost"].dtype, frame["cost/amortized_cost"].dtype) == (pl.Decimal(38, 4), pl.Float64)


def test_quantities_of_two_types_keep_their_digits():
    exact = "12345678901234567.123456789"
    frame = frame_of(charge(), charge()).with_columns(
        ConsumedQuantity=pl.Series([exact, None]).cast(pl.Decimal(38, 9)), PricingQuantity=pl.Series([1.0, 0.1])
    )
    assert to_cbf(frame)["usage/amount"].to_list() == [exact, "0.1"]


def test_typed_columns_as_tags():
    values = {"flag": [True], "day": [date(2024, 9, 1)], "number": [7], "amount": [Decimal("1.50")]}
    frame = to_cbf(frame_of(charge(ResourceId="a")).with_columns(pl.DataFrame(values)), tag_columns=list(values))
    assert {name: frame[f"resource/tag:{name}"].item() for name in values} == {
        "flag": "true",
        "day": "2024-09-01",
        "number": "7",
        "amount": "1.50",
    }


@pytest.mark.parametrize(
    ("name", "values", "told"),
    [
        (
            "SubAccountId",
            [1.0],
            "Column 'SubAccountId' has the type Float64: expected text (a float loses digits: read it as text).",
        ),
        ("ResourceId", [["a"]], "Column 'ResourceId' has the type List(String): expected text."),
        ("BilledCost", [date(2024, 9, 1)], "Column 'BilledCost' has the type Date: expected numbers."),
        ("ChargePeriodStart", [1725148800], "Column 'ChargePeriodStart' has the type Int64: expected times."),
        ("ServiceName", [b"a"], "Column 'ServiceName' has the type Binary: expected text."),
    ],
)
def test_a_column_that_holds_what_it_can_not(name, values, told):
    with pytest.raises(InputError) as caught:
        to_cbf(frame_of(charge()).with_columns(pl.Series(name, values)))
    assert str(caught.value) == told


MONEY = st.decimals(-(10**9), 10**9, places=15, allow_nan=False).map(lambda number: format(number, "f"))


@settings(max_examples=60)
@given(st.lists(st.tuples(MONEY, MONEY), min_size=1, max_size=30))
def test_no_cost_is_lost(costs):
    frame = to_cbf(frame_of(*(charge(BilledCost=billed, EffectiveCost=effective) for billed, effective in costs)))
    totals = check(frame).totals
    exactly = Context(prec=60)
    for column, number in (("cost/cost", 0), ("cost/amortized_cost", 1), ("cost/discounted_amortized_cost", 1)):
        total = Decimal(0)
        for pair in costs:
            total = exactly.add(total, Decimal(pair[number]))
        assert Decimal(totals[column]) == total
    assert frame["cost/cost"].to_list() == [billed for billed, _ in costs]


@pytest.mark.parametrize("column", ["ChargePeriodStart", "ChargePeriodEnd"])
def test_a_time_beyond_the_calendar_is_named(column):
    beyond = pl.Series([2**60]).cast(pl.Datetime("ms"))
    with pytest.raises(InvalidRowsError, match=f"row 1, column '{column}', value 1152921504606846976: not an ISO 8601"):
        to_cbf(frame_of(charge()).with_columns(beyond.alias(column)))
