"""A thousand lines of a real FOCUS file, in a sandbox."""

from __future__ import annotations

import csv
from collections import Counter
from decimal import Decimal
from fractions import Fraction

import pytest
from support.real_data import real_data
from support.tasks import send

from cloudzero_provider.anycost import aggregate
from cloudzero_provider.anycost.focus import to_cbf

MONTH = "2024-09"


@pytest.fixture(scope="module")
def lines():
    with real_data("focus_sample.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_line_arrives_with_its_cost_and_twice_is_once(sandbox, lines):
    total = sum(Fraction(line["BilledCost"]) for line in lines)
    first, second = (
        (send(files=str(real_data("focus_sample.csv")), month=MONTH, transform=to_cbf), sandbox.month(MONTH))
        for _ in range(2)
    )
    for summary, held in (first, second):
        assert summary["rows"] == held["rows"] == len(lines) == 1_000
        assert Fraction(summary["total_cost"]) == Fraction(held["total_cost"]) == total
    assert (first[0]["sha256"], first[1]["digest"]) == (second[0]["sha256"], second[1]["digest"])
    assert second[0]["replaced_rows"] == 1_000
    assert list(sandbox.months()) == [MONTH]


def test_no_cost_is_changed_or_moved_to_another_row(sandbox, lines):
    send(files=str(real_data("focus_sample.csv")), month=MONTH, transform=to_cbf)
    given = [[Decimal(line[name]) for name in ("BilledCost", "EffectiveCost", "ListCost")] for line in lines]
    names = ("cost/cost", "cost/amortized_cost", "cost/on_demand_cost")
    held = [[Decimal(row[name]) for name in names] for row in sandbox.rows(MONTH)]
    assert sorted(held) == sorted(given)
    assert 0 < min(abs(cost) for cost, *_ in given if cost) < Decimal("1e-6")


def test_added_up_by_day_and_service_it_is_what_the_lines_amount_to(sandbox, lines):
    by = ["resource/service", "resource/tag:*"]
    send(files=str(real_data("focus_sample.csv")), month=MONTH, transform=[to_cbf, aggregate(by=by, period="day")])
    of_lines = Counter()
    for line in lines:
        of_lines[line["ChargePeriodStart"][:10], line["ChargeCategory"], line["ServiceName"]] += Fraction(
            line["BilledCost"]
        )
    held = Counter()
    for row in sandbox.rows(MONTH):
        held[row["time/usage_start"][:10], row["lineitem/type"], row["resource/service"]] += Fraction(row["cost/cost"])
    assert held == of_lines
    assert len(of_lines) < sandbox.month(MONTH)["rows"] < len(lines)
