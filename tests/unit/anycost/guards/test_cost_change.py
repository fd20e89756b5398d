from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from cloudzero_provider.anycost.guards.cost_change import MaxCostChange, check_cost_change, read_max_cost_change
from cloudzero_provider.exceptions import ConfigurationError, CostWouldChangeError


@pytest.mark.parametrize(
    ("given", "amount", "is_percent"),
    [
        ("30%", "30", True),
        (" 2.5 % ", "2.5", True),
        ("500", "500", False),
        (500, "500", False),
        (0.1, "0.1", False),
        (Decimal("1.50"), "1.50", False),
        ("0", "0", False),
    ],
)
def test_a_share_or_an_amount(given, amount, is_percent):
    assert read_max_cost_change(given) == MaxCostChange(Decimal(amount), is_percent)


def test_none_is_off():
    assert read_max_cost_change(None) is None


@pytest.mark.parametrize(
    "wrong",
    ["", "30 percent", "-5", "+5", "1e3", "%", "nan", True, False, [30], Fraction(5), "30%%", "1,000", "None"],
)
@pytest.mark.parametrize(
    ("templated", "ending"), [(False, "like '500'."), (True, "a template that renders to one of them.")]
)
def test_anything_else_is_an_error(wrong, templated, ending):
    with pytest.raises(ConfigurationError) as error:
        read_max_cost_change(wrong, templated=templated)
    assert str(error.value).startswith(f"max_cost_change is {wrong!r}: expected a share of what CloudZero holds")
    assert str(error.value).endswith(ending)


@pytest.mark.parametrize(
    ("limit", "before", "after", "allowed"),
    [
        ("30%", "100", "130", True),
        ("30%", "100", "130.000000000000000000000000000001", False),
        ("30%", "100", "70", True),
        ("30%", "-100", "-130", True),
        ("30%", "-100", "-130.1", False),
        ("0%", "0", "0", True),
        ("100%", "0", "0.01", False),
        ("0.1", "0.2", "0.3", True),
        ("0.1", "0.2", "0.31", False),
        ("1", "123456789012345678901234.5", "123456789012345678901235.5", True),
        ("1", "123456789012345678901234.5", "123456789012345678901235.6", False),
    ],
)
def test_the_change_is_compared_exactly(limit, before, after, allowed):
    change = read_max_cost_change(limit)
    assert change is not None
    if allowed:
        check_cost_change("2026-03", before, after, change)
        return
    with pytest.raises(CostWouldChangeError) as error:
        check_cost_change("2026-03", before, after, change)
    assert f"from the {before} that CloudZero holds to {after}" in str(error.value)


@pytest.mark.parametrize(
    ("before", "after", "share"),
    [("100", "150", " (+50.0%)"), ("-100", "-150", " (-50.0%)"), ("-100", "20", " (+120.0%)"), ("0", "5", "")],
)
def test_the_share_has_the_sign_of_the_change(before, after, share):
    with pytest.raises(CostWouldChangeError) as error:
        check_cost_change("2026-03", before, after, MaxCostChange(Decimal(1), is_percent=False))
    assert f" to {after}{share}, more than max_cost_change='1' allows; nothing was sent. " in str(error.value)


@pytest.mark.parametrize("limit", ["30%", "500"])
def test_the_whole_error(limit):
    with pytest.raises(CostWouldChangeError) as error:
        check_cost_change("2026-03", "100", "1500.5", read_max_cost_change(limit))
    assert str(error.value) == (
        "2026-03: the total cost would change from the 100 that CloudZero holds to 1500.5 (+1,400.5%), more than "
        f"max_cost_change='{limit}' allows; nothing was sent. Is the export cut off, doubled, or in another currency? "
        "AnyCostBillingDropPlanOperator shows what differs. If the change is right, set a larger max_cost_change."
    )
    with pytest.raises(ConfigurationError) as error:
        read_max_cost_change("much")
    assert str(error.value) == (
        "max_cost_change is 'much': expected a share of what CloudZero holds, like '30%', or an amount, like '500'."
    )
