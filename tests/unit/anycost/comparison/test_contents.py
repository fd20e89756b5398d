from __future__ import annotations

import random

import polars as pl
import pytest
from support.month_versions import random_versions, spelled
from support.rows import checked, row

from cloudzero_provider.anycost.column_values import convert
from cloudzero_provider.anycost.columns import Kind
from cloudzero_provider.anycost.comparison import contents, encoding
from cloudzero_provider.anycost.comparison.contents import canonical, contents_sha256


def frame(rows, extra=()):
    names = dict.fromkeys([*extra, *(name for row in rows for name in row)])
    return pl.DataFrame({name: pl.Series([row.get(name) for row in rows], dtype=pl.String) for name in names})


def hash_of(rows, extra=()):
    return contents_sha256(canonical(frame(rows, extra)))


def test_values_are_as_they_would_be_sent_and_columns_in_order_without_those_that_are_empty():
    held = [
        {"resource/tag:b": "x", "cost/cost": "1.50", "usage/amount": "1E+2", "time/usage_end": "2026-03-01 01:00"},
        {"cost/cost": "-0", "time/usage_start": "2026-03-01T05:43:21+01:00", "resource/id": "", "lineitem/type": "odd"},
    ]
    found = canonical(frame(held, extra=["k8s/cluster"]))
    assert found.columns == [
        "lineitem/type", "time/usage_start", "time/usage_end", "usage/amount", "cost/cost", "resource/tag:b"
    ]  # fmt: skip
    assert found.rows() == [
        (None, None, "2026-03-01T01:00:00Z", "100", "1.5", "x"),
        ("odd", "2026-03-01T04:00:00Z", None, None, "0", None),
    ]


def test_a_value_that_can_not_be_converted_stays_as_it_is():
    held = [
        {"cost/cost": "much", "time/usage_start": "2026-02-30T05:00:00Z", "usage/amount": "1" * 19},
        {"cost/cost": "1.0", "time/usage_start": "soon", "time/usage_end": "2026-03-01T25:00:00Z"},
        {"cost/cost": ""},
    ]
    found = canonical(frame(held))
    assert found["cost/cost"].to_list() == ["much", "1", None]
    assert found["time/usage_start"].to_list() == ["2026-02-30T05:00:00Z", "soon", None]
    assert found["time/usage_end"].to_list() == [None, "2026-03-01T25:00:00Z", None]
    assert found["usage/amount"].to_list() == ["1" * 19, None, None]


def test_checked_rows_are_canonical_already_and_canonical_times_are_not_read(monkeypatch):
    rows = [row(cost__cost="1.50", time__usage_end="2026-03-31T23:59:59Z"), row(time__usage_start="2026-03-01 05:00")]
    given = checked(rows).frame
    monkeypatch.setattr(contents, "convert", convert_decimals)
    found = canonical(given)
    assert found.equals(given)
    assert found.columns == given.columns


def convert_decimals(kind, values):
    assert kind is Kind.DECIMAL
    return convert(kind, values)


@pytest.mark.parametrize("part", [1, 50_000])
@pytest.mark.parametrize("seed", range(12))
def test_the_hash_is_that_of_the_contents_in_any_order_and_spelling(seed, part, monkeypatch):
    rows, others = random_versions(seed)
    whole = hash_of(rows)
    monkeypatch.setattr(encoding, "_PART", part)
    again = spelled(rows, seed)
    random.Random(seed).shuffle(again)
    assert hash_of(again, extra=["k8s/cluster"]) == whole
    same = sorted(map(sorted_items, rows)) == sorted(map(sorted_items, others))
    assert (hash_of(others) == whole) is same


def sorted_items(row):
    return sorted(row.items())


def test_rows_that_occur_twice_count_twice():
    one, two = {"cost/cost": "1"}, {"cost/cost": "2"}
    hashes = {hash_of(rows) for rows in ([], [one], [one, one], [one, two], [one, one, two], [one, two, two])}
    assert len(hashes) == 6


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([{"lineitem/id": "1"}], [{"lineitem/description": "1"}]),
        ([{"lineitem/id": "1", "resource/id": "2"}], [{"lineitem/id": "1"}, {"resource/id": "2"}]),
        ([{"lineitem/id": "a\0b"}], [{"lineitem/id": "a"}, {"lineitem/id": "b"}]),
        ([{"lineitem/id": "a\0", "resource/id": "b"}], [{"lineitem/id": "a", "resource/id": "\0b"}]),
        ([{"lineitem/id": "a", "resource/id": "b"}], [{"lineitem/id": "b", "resource/id": "a"}]),
        ([{"resource/tag:a": "1"}], [{"resource/tag:b": "1"}]),
        ([{"resource/tag:a": "1"}], [{"resource/tag:a": "1 "}]),
    ],
)
def test_other_contents_have_another_hash(one, other):
    assert hash_of(one) != hash_of(other)


def test_the_hash_stays_the_same_from_version_to_version():
    # What was planned with one version may be sent with another.
    rows = [row(resource__service="São Paulo"), row(cost__cost="2", resource__id="x"), row(lineitem__id="a\0b")]
    assert hash_of(rows) == "5aad041041743c8e448cdc04e9685fa706f3e16f6101c8fe5ffca02bb6bf7601"
    assert hash_of([]) == "7fbc61fadd3074e3718095dfc08b1c6268a478499c229d0faeea4a7c2b69bfd7"
