from __future__ import annotations

from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given, strategies as st

from cloudzero_provider.values import exact_sums as exact
from cloudzero_provider.values.exact_sums import exact_sum, exact_sums

WIRE = st.from_regex(r"-?[0-9]{1,18}(\.[0-9]{1,30})?", fullmatch=True)
LARGEST = "9" * 18 + "." + "9" * 30
SMALLEST = "0." + "0" * 29 + "1"


def sums(*rows):
    groups, texts = zip(*rows, strict=True)
    return exact_sums(pl.Series(texts, dtype=pl.String), pl.Series(groups, dtype=pl.UInt32)).to_list()


def plain(number: Fraction) -> str:
    scaled = number * 10**30
    assert scaled.denominator == 1
    whole, fraction = divmod(abs(scaled.numerator), 10**30)
    return f"{'-' if number < 0 else ''}{whole}.{fraction:030d}".rstrip("0").rstrip(".")


@given(st.lists(st.tuples(st.integers(0, 3), st.none() | WIRE), min_size=1, max_size=40))
def test_each_group_has_its_exact_sum_in_any_order_of_rows(rows):
    numbers = {group: number for number, group in enumerate(sorted({group for group, _ in rows}))}
    expected = [sum((Fraction(text) for g, text in rows if g == group and text), Fraction(0)) for group in numbers]
    assert sums(*((numbers[group], text) for group, text in rows)) == [plain(number) for number in expected]


@given(st.lists(st.none() | WIRE, max_size=40))
def test_the_sum_of_all_is_that_of_one_group(texts):
    expected = plain(sum((Fraction(text) for text in texts if text), Fraction(0)))
    assert exact_sum(pl.Series(texts, dtype=pl.String)) == expected


@pytest.mark.parametrize(
    ("texts", "total"),
    [
        ([LARGEST, SMALLEST], "1" + "0" * 18),
        (["-" + LARGEST, "-" + SMALLEST], "-1" + "0" * 18),
        (["1", "-" + SMALLEST], "0." + "9" * 30),
        (["-1", SMALLEST], "-0." + "9" * 30),
        (["0." + "9" * 9, "0.000000001"], "1"),
        (["999999999", "1"], "1000000000"),
        (["-0", "-0.0"], "0"),
        (["-1000000000", "1"], "-999999999"),
        ([None, None], "0"),
        (["0.1"] * 10, "1"),
        # The most digits that a Decimal of polars holds, by the length of the texts, and one more.
        (["9" * 18] * 99, "98999999999999999901"),
        (["9" * 18] * 100, "99999999999999999900"),
        (["-0." + "9" * 15] * 99, "-98.999999999999901"),
        (["0." + "9" * 17, "-9." + "9" * 15], "-8.99999999999999901"),
    ],
)
def test_carries_go_all_the_way_with_either_sign(texts, total):
    assert sums(*((0, text) for text in texts)) == [total]
    assert exact_sum(pl.Series(texts, dtype=pl.String)) == total


def test_a_group_of_many_large_numbers_grows_beyond_18_digits():
    assert sums(*[(0, LARGEST)] * 1000, (1, "-5"))[0] == plain(Fraction(LARGEST) * 1000)


def test_groups_come_in_the_order_of_their_numbers():
    assert sums((2, "3"), (0, "1"), (1, "2"), (0, "-0.5")) == ["0.5", "2", "3"]


def test_more_texts_than_are_cut_at_a_time_are_all_added_up():
    count = 2 * exact._SLICE + 1
    texts = pl.repeat("-0.3", count, dtype=pl.String, eager=True)
    assert exact_sum(texts) == plain(Fraction("-0.3") * count)
    halves = pl.int_range(count, eager=True, dtype=pl.UInt32) % 2
    assert exact_sums(texts, halves).to_list() == [plain(Fraction("-0.3") * n) for n in (count // 2 + 1, count // 2)]


def test_several_groupings_are_those_one_after_the_other():
    texts = pl.Series(["1", None, LARGEST, "-0.5"], dtype=pl.String)
    groupings = [pl.Series(groups, dtype=pl.UInt32) for groups in ([0, 1, 0, 1], [0, 0, 0, 0], [3, 2, 1, 0])]
    found = [each.to_list() for each in exact.exact_sums_by_each(texts, groupings)]
    assert found == [exact_sums(texts, groups).to_list() for groups in groupings]
    assert [len(sums) for sums in found] == [2, 1, 4]


VALUES = st.none() | st.sampled_from(["a", "b", "Ö", "", "a\0b"])


@given(st.lists(st.tuples(VALUES, st.none() | WIRE), min_size=1, max_size=40), st.integers(1, 6))
def test_each_value_has_its_rows_and_its_exact_sum(rows, count):
    values, texts = (pl.Series(column, dtype=pl.String) for column in zip(*rows, strict=True))
    [found] = exact.sums_by_value(texts, [values])
    expected = {
        value: (
            sum(other == value for other, _ in rows),
            sum((Fraction(text) for other, text in rows if other == value and text), Fraction(0)),
        )
        for value in values
    }
    assert found.count == len(expected)
    by_value = list(found.by_value().iter_rows())
    assert [value for value, *_ in by_value] == values.unique().sort().to_list()
    assert by_value == [(value, expected[value][0], plain(expected[value][1])) for value, *_ in by_value]
    largest = list(found.largest(count).iter_rows())
    assert set(largest) <= set(by_value)
    every = sorted(((total, rows) for rows, total in expected.values()), reverse=True)
    assert [(Fraction(total), rows) for _, rows, total in largest] == every[:count]


def test_equal_sums_of_as_many_rows_are_in_the_order_of_the_values():
    values = pl.Series(["c", "b", "a", "d", "d"])
    [found] = exact.sums_by_value(pl.Series(["1", "1.0", "1", "0.5", "0.5"]), [values])
    assert list(found.largest(3).iter_rows()) == [("d", 2, "1"), ("a", 1, "1"), ("b", 1, "1")]


def test_there_may_be_nothing_to_sum():
    [found] = exact.sums_by_value(pl.Series([], dtype=pl.String), [pl.Series([], dtype=pl.String)])
    assert (found.count, found.by_value().height, found.largest(3).height) == (0, 0, 0)
