from __future__ import annotations

import hashlib
import random

import polars as pl
import pytest
from support.month_versions import random_versions, spelled
from support.rows import checked, row

from cloudzero_provider.anycost.column_values import convert
from cloudzero_provider.anycost.columns import Kind
from cloudzero_provider.anycost.comparison import contents, encoding
from cloudzero_provider.anycost.comparison.contents import canonical, contents_sha256, sha256_by_hour
from cloudzero_provider.anycost.comparison.encoding import parts_of_hours


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


def test_hashes_of_hours():
    hours = [f"2026-03-01T{hour:02d}:00:00Z" for hour in (5, 3, 4)]
    rows = [row(time__usage_start=hour, cost__cost=cost) for cost in "12" for hour in hours]
    found = sha256_by_hour(canonical(frame([*rows, {"cost/cost": "1", "resource/id": "a"}])))
    assert found == {hour: hash_of([line for line in rows if line["time/usage_start"] == hour])[:16] for hour in hours}
    assert len(set(found.values())) == 3
    for without in ([{"cost/cost": "1"}], []):
        assert sha256_by_hour(canonical(frame(without))) == {}


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


def test_rows_without_any_value_count_too():
    empty = frame([{}, {}], extra=["lineitem/id"])
    assert contents_sha256(empty) == hashlib.sha256(b"[]\0\0\0").hexdigest()


@pytest.mark.parametrize("part", [1, 2, 3, 50_000])
def test_rows_without_an_hour_are_in_the_hash_of_any_size_of_parts(part, monkeypatch):
    monkeypatch.setattr(encoding, "_PART", part)
    rows = [{"lineitem/id": "1"}, {"lineitem/id": "2"}, row(), row(time__usage_start="2026-03-02T00:00:00Z")]
    assert hash_of(rows) == "e8d36f3b994031c6f60b297a1ab010757ad7608890e25bd9d0693655fa3537cf"


def test_parts_have_several_hours_if_they_are_small(monkeypatch):
    monkeypatch.setattr(encoding, "_PART", 3)
    one, two = (canonical(frame([row(time__usage_start=hour) for hour in hours])) for hours in ("abc", "abcde"))
    parts = [
        tuple(part["time/usage_start"].str.join("").item() for part in parts) for parts in parts_of_hours(one, two)
    ]
    assert parts == [("ab", "ab"), ("c", "c"), ("", "de")]
    assert [part.height for (part,) in parts_of_hours(two)] == [3, 2]
    # A single part is not copied.
    small = one[:2]
    assert [part is small for (part,) in parts_of_hours(small)] == [True]


def test_the_hash_stays_the_same_from_version_to_version():
    # What was planned with one version may be sent with another.
    rows = [row(resource__service="São Paulo"), row(cost__cost="2", resource__id="x"), row(lineitem__id="a\0b")]
    assert hash_of(rows) == "5aad041041743c8e448cdc04e9685fa706f3e16f6101c8fe5ffca02bb6bf7601"
    assert hash_of([]) == "7fbc61fadd3074e3718095dfc08b1c6268a478499c229d0faeea4a7c2b69bfd7"
