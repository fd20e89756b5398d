"""What a chart and its table show: exact sums, the largest names, and the rest as one."""

from __future__ import annotations

from decimal import Context, Decimal

import pytest
from hypothesis import given, strategies as st

from cloudzero_provider.sandbox.page.breakdown import MAX_NAMED, break_down

EXACT = Context(prec=200)
DAYS = ("2024-09-01", "2024-09-02", "2024-09-03")


def broken_down(amounts, periods=DAYS):
    decimals = {key: Decimal(amount) for key, amount in amounts.items()}
    return break_down(decimals, periods, blank="no service", unit="services")


def totals(breakdown):
    return {series.name: str(series.total) for series in breakdown.series}


def test_the_largest_comes_first_and_a_credit_counts_as_much():
    found = broken_down({(DAYS[0], "a"): "1", (DAYS[0], "b"): "-3", (DAYS[1], "b"): "1", (DAYS[2], "c"): "2"})
    assert totals(found) == {"b": "-2", "c": "2", "a": "1"}
    assert found.totals == {DAYS[0]: -2, DAYS[1]: 1, DAYS[2]: 2}
    assert found.total == 1


def test_equal_names_have_one_order():
    assert list(totals(broken_down({(DAYS[0], "b"): "1", (DAYS[0], "a"): "1"}))) == ["a", "b"]


def test_a_blank_name_is_named_also_beside_that_name():
    assert totals(broken_down({(DAYS[0], ""): "1", (DAYS[0], "no service"): "2"})) == {"no service": "3"}


def test_other_periods_are_left_out():
    assert totals(broken_down({("2024-10-01", "a"): "1", (DAYS[0], "b"): "2"})) == {"b": "2"}


def test_nothing():
    found = broken_down({})
    assert (found.series, found.total) == ((), 0)


@pytest.mark.parametrize(("count", "last"), [(MAX_NAMED, "s5"), (MAX_NAMED + 1, "s6"), (200, "other (194 services)")])  # fmt: skip
def test_the_rest_is_one(count, last):
    found = broken_down({(DAYS[0], f"s{number}"): str(1000 - number) for number in range(count)})
    assert len(found.series) == min(count, MAX_NAMED + 1)
    assert found.series[-1].name == last
    assert len(found.by_name) == count


amount = st.decimals(allow_nan=False, allow_infinity=False, places=12, min_value=-(10**30), max_value=10**30)


@given(st.dictionaries(st.tuples(st.sampled_from(DAYS), st.text(max_size=2)), amount, max_size=40))
def test_no_cent_is_lost(amounts):
    found = broken_down(amounts)
    in_pico = sum(int(value.scaleb(12, context=EXACT)) for value in amounts.values())
    for totals_of in ([series.total for series in found.series], found.totals.values(), found.by_name.values()):
        assert sum(int(value.scaleb(12, context=EXACT)) for value in totals_of) == in_pico
    assert int(found.total.scaleb(12, context=EXACT)) == in_pico
    for series in found.series:
        of_days = sum(int(value.scaleb(12, context=EXACT)) for value in series.amounts.values())
        assert of_days == int(series.total.scaleb(12, context=EXACT))
