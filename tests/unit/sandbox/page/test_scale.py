"""The figures beside a chart are round, of any size, and reach beyond what is drawn."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from cloudzero_provider.sandbox.page.scale import make_scale


def labels(lowest, highest):
    return list(make_scale(Decimal(lowest), Decimal(highest)).labels)


@pytest.mark.parametrize(
    ("lowest", "highest", "expected"),
    [
        ("0", "100", ["0", "25", "50", "75", "100"]),
        ("0", "973", ["0", "250", "500", "750", "1,000"]),
        ("0", "4100", ["0", "2,000", "4,000", "6,000"]),
        ("0", "26319", ["0", "10k", "20k", "30k"]),
        ("0", "4400000", ["0", "2M", "4M", "6M"]),
        ("0", "1250000000", ["0", "0.5B", "1.0B", "1.5B"]),
        ("-3", "10", ["-5", "0", "5", "10"]),
        ("-0.4", "0", ["-0.4", "-0.3", "-0.2", "-0.1", "0"]),
        ("0", "0.0007", ["0", "0.0002", "0.0004", "0.0006", "0.0008"]),
        ("0", "0", ["0", "1", "2", "3", "4"]),
        ("0", "3e20", ["0", "1.000e+20", "2.000e+20", "3.000e+20"]),
        ("-1e1000000", "1e1000000", ["-1.000e+1000000", "-5.000e+999999", "0", "5.000e+999999", "1.000e+1000000"]),
        ("0", "2e-1000000", ["0", "5.000e-1000001", "1.000e-1000000", "1.500e-1000000", "2.000e-1000000"]),
    ],
)
def test_labels(lowest, highest, expected):
    assert labels(lowest, highest) == expected


def test_heights_are_parts_of_the_axis():
    scale = make_scale(Decimal(-50), Decimal(100))
    assert (scale.lowest, scale.highest) == (-50, 100)
    assert scale.height(Decimal(75)) == pytest.approx(0.5)
    assert scale.height(Decimal(-50)) == pytest.approx(-1 / 3)
    assert scale.zero == pytest.approx(2 / 3)


numbers = st.decimals(allow_nan=False, allow_infinity=False)


@given(numbers, numbers)
def test_what_is_drawn_fits(first, second):
    low, high = sorted((first, second))
    scale = make_scale(low, high)
    # Twelve digits are enough for a drawing.
    assert scale.height(low) >= -(1 - scale.zero) - 1e-9
    assert scale.height(high) <= scale.zero + 1e-9
    assert 2 <= len(scale.ticks) <= 7
    assert Decimal(0) in scale.ticks
    assert list(scale.ticks) == sorted(scale.ticks)
    assert len(set(scale.labels)) == len(scale.labels)
