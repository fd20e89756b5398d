"""Values of data frames and of warehouses where nobody expects them: none becomes a text that nobody gave."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import polars as pl
import pytest
from support.rows import MARCH

from cloudzero_provider.anycost.checks import check_rows
from cloudzero_provider.anycost.focus import to_cbf
from cloudzero_provider.exceptions import ConfigurationError, InputError, InvalidRowsError, MonthError
from cloudzero_provider.months import Month
from cloudzero_provider.sources import apply_transforms, from_records
from cloudzero_provider.values.parameters import read_number

numpy = pytest.importorskip("numpy")
pandas = pytest.importorskip("pandas")

CHARGE = {
    "BilledCost": "1",
    "EffectiveCost": "1",
    "BillingCurrency": "USD",
    "ChargeCategory": "Usage",
    "ChargePeriodStart": "2026-03-03T00:00:00Z",
    "ResourceId": "r1",
}


def sent(charge, **options):
    rows = apply_transforms(from_records([CHARGE | charge]), lambda frame: to_cbf(frame, **options))
    return check_rows(rows, MARCH).frame.row(0, named=True)


@pytest.mark.parametrize("missing", [pandas.NA, pandas.NaT, float("nan"), numpy.float32("nan"), Decimal("NaN"), None])
def test_a_tag_without_a_value_is_left_out(missing):
    found = sent({"Tags": {"a": missing, "b": "x"}})
    assert "resource/tag:a" not in found
    assert found["resource/tag:b"] == "x"


def test_a_tag_of_numpy_is_its_number():
    found = sent({"Tags": {"a": numpy.int64(3), "b": numpy.str_("x")}})
    assert (found["resource/tag:a"], found["resource/tag:b"]) == ("3", "x")


@pytest.mark.parametrize("value", [b"x", object(), {1, 2}, float("inf"), numpy.array([1, 2])], ids=type)
def test_a_tag_that_no_json_has_is_an_error(value):
    with pytest.raises(InvalidRowsError, match=r"row 1, column 'Tags'.*it contains a "):
        sent({"Tags": {"a": value}})


def of_frame(tags):
    frame = pl.DataFrame([CHARGE]).with_columns(tags.alias("Tags"))
    return check_rows(from_records(to_cbf(frame)), MARCH).frame.row(0, named=True)


@pytest.mark.parametrize(
    "tags",
    [
        pl.struct(pl.lit(float("nan")).alias("a"), pl.lit(1.5).alias("b")),
        pl.Series([[{"key": "a", "value": float("nan")}, {"key": "b", "value": 1.5}]]),
    ],
    ids=["struct", "list"],
)
def test_a_tag_of_a_column_that_is_nan_is_left_out(tags):
    found = of_frame(tags)
    assert "resource/tag:a" not in found
    assert found["resource/tag:b"] == "1.5"


@pytest.mark.parametrize("tags", [[[]], [[None]], [None]], ids=["empty", "nothing", "null"])
def test_a_column_of_empty_lists_has_no_tags(tags):
    assert not [name for name in of_frame(pl.Series(tags)) if "tag:" in name]


def test_a_tag_that_is_a_duration_is_an_error():
    with pytest.raises(InputError, match=r"Column 'Tags' has the type Duration.* for 'a': expected text"):
        of_frame(pl.struct(pl.lit(timedelta(1)).alias("a")))


def test_what_has_no_order_makes_no_resource():
    with pytest.raises(ConfigurationError, match=r"resource_from is .*: expected a list of"):
        sent({"SkuId": "k"}, resource_from={"SkuId"})


@pytest.mark.parametrize(
    ("charge", "amount", "units"),
    [
        ({"ConsumedQuantity": None, "ConsumedUnit": "GB", "UsageQuantity": "5", "UsageUnit": "Hours"}, "5", "Hours"),
        ({"ConsumedQuantity": "5", "ConsumedUnit": None, "UsageQuantity": "7", "UsageUnit": "Hours"}, "5", None),
        ({"ConsumedQuantity": "5", "ConsumedUnit": "GB", "UsageQuantity": "7", "UsageUnit": "Hours"}, "5", "GB"),
        ({"UsageQuantity": "7", "UsageUnit": "Hours"}, "7", "Hours"),
        ({"UsageQuantity": "7", "ConsumedUnit": "Hours"}, "7", "Hours"),
    ],
)
def test_a_quantity_has_the_unit_of_its_own_version(charge, amount, units):
    found = sent(charge)
    assert (found["usage/amount"], found.get("usage/units")) == (amount, units)


def test_a_half_float_of_a_frame_is_the_number_that_it_is_written_as():
    frame = pandas.DataFrame({"time/usage_start": ["2026-03-01"] * 2, "cost/cost": numpy.array([0.1, 0.2], "float16")})
    assert check_rows(from_records(frame), MARCH).frame["cost/cost"].to_list() == ["0.1", "0.2"]


def test_no_month_is_not_a_time():
    with pytest.raises(MonthError, match="NaT is not a valid month"):
        Month.parse(pandas.NaT)


def test_a_signaling_nan_is_not_a_ratio():
    with pytest.raises(ConfigurationError, match="min_rows_ratio is"):
        read_number("min_rows_ratio", Decimal("sNaN"))
