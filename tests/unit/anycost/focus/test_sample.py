"""FOCUS to CBF: a thousand lines of real, anonymised bills, where the file is there."""

from __future__ import annotations

import csv
import json
import logging
from collections import Counter
from decimal import Decimal, localcontext

import polars as pl
import pytest
from support.charges import check
from support.real_data import real_data

from cloudzero_provider.anycost.focus import to_cbf
from cloudzero_provider.exceptions import InvalidRowsError


@pytest.fixture(scope="module")
def sample():
    return real_data("focus_sample.csv")


@pytest.fixture(scope="module")
def lines(sample):
    """The charges, read without any of the code that is tested; missing values are left out."""
    with sample.open(encoding="utf-8", newline="") as file:
        return [{k: v for k, v in line.items() if v not in ("", "NULL")} for line in csv.DictReader(file)]


@pytest.fixture(scope="module")
def charges(sample):
    return pl.read_csv(sample, infer_schema=False)


@pytest.fixture(scope="module")
def rows(charges):
    return to_cbf(charges)


def total(lines, name):
    with localcontext() as context:
        context.prec = 60
        return sum(Decimal(line[name]) for line in lines)


def test_all_rows_pass_the_checks_and_no_cost_is_lost(rows, lines):
    checked = check(rows)
    assert checked.frame.height == len(lines) == 1000
    assert Decimal(checked.totals["cost/cost"]) == total(lines, "BilledCost") == Decimal("20.52022672899")
    assert Decimal(checked.totals["cost/amortized_cost"]) == total(lines, "EffectiveCost")
    assert Decimal(checked.totals["cost/on_demand_cost"]) == total(lines, "ListCost")


def test_each_cost_is_as_it_was_the_smallest_too(rows, lines):
    assert rows["cost/cost"].to_list() == [line["BilledCost"] for line in lines]
    assert rows["cost/amortized_cost"].to_list() == [line["EffectiveCost"] for line in lines]
    sent = check(rows).frame
    tiny = [index for index, line in enumerate(lines) if 0 < abs(Decimal(line["BilledCost"])) < Decimal("1e-6")]
    assert len(tiny) > 10
    assert [Decimal(sent["cost/cost"][index]) for index in tiny] == [Decimal(lines[i]["BilledCost"]) for i in tiny]
    free = [index for index, line in enumerate(lines) if not Decimal(line["EffectiveCost"])]
    assert {Decimal(sent["cost/amortized_cost"][index]) for index in free} == {Decimal(0)}


def test_resources(rows, lines):
    pairs = [(line.get("ResourceType"), line["ResourceId"]) if "ResourceId" in line else None for line in lines]
    written = rows["resource/id"].to_list()
    assert [text is None for text in written] == [pair is None for pair in pairs]
    assert len(set(written)) == len(set(pairs))
    assert all(text.count("/") == 1 and ":" not in text for text in written if text)
    assert sum(text.startswith("resource/arn|") for text in written if text) > 100


def test_tags(rows, lines, charges, caplog):
    caplog.set_level(logging.INFO)
    to_cbf(charges)
    assert "34 rows with tags but no ResourceId" in caplog.text
    expected = Counter(
        (key.replace(" ", "_"), value)
        for line in lines
        if "ResourceId" in line
        for key, value in json.loads(line.get("Tags", "{}")).items()
        if value
    )
    sent = Counter(
        (name.removeprefix("resource/tag:"), value)
        for name in rows.columns
        if name.startswith("resource/tag:")
        for value in rows[name].drop_nulls()
    )
    assert sent == expected
    assert len(expected) > 100


def test_times(rows, lines):
    in_utc = [line["ChargePeriodStart"].replace(" ", "T") + "Z" for line in lines]
    assert rows["time/usage_start"].to_list() == in_utc


def test_the_row_of_another_billing_period(charges, lines, caplog):
    caplog.set_level(logging.INFO)
    to_cbf(charges)
    assert "1 charge with a billing period of another month" in caplog.text
    [other] = [index for index, line in enumerate(lines) if line["BillingPeriodStart"][:7] != "2024-09"]
    moved = to_cbf(charges, month_from="billing_period")
    assert moved["time/usage_start"][other] == "2024-10-01T00:00:00Z"
    with pytest.raises(InvalidRowsError, match=f"row {other + 1:,}, column 'time/usage_start'"):
        check(moved)


def test_two_runs_are_equal(rows, charges):
    assert rows.equals(to_cbf(charges))


def test_line_item_types(rows, lines):
    assert rows["lineitem/type"].to_list() == [line["ChargeCategory"] for line in lines]
