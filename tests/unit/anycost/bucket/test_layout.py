"""Names in the bucket."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from cloudzero_provider.anycost.bucket.description import DropDescription, DropFile
from cloudzero_provider.anycost.bucket.layout import MonthFolder, is_plain_name, new_drop_id, part_name, started_at
from cloudzero_provider.anycost.bucket.store import Listed
from cloudzero_provider.exceptions import MonthError
from cloudzero_provider.months import Month


@pytest.mark.parametrize(
    ("month", "name"),
    [("2026-05", "20260501-20260601"), ("2025-12", "20251201-20260101"), ("2024-02", "20240201-20240301")]
    + [("0001-01", "00010101-00010201"), ("0999-12", "09991201-10000101")],
)
def test_the_billing_data_id_is_the_first_day_of_the_month_and_of_the_next(month, name):
    folder = MonthFolder(Month.parse(month))
    assert (folder.name, folder.manifest) == (name, f"{name}/manifest.json")
    assert (folder.drop("x"), folder.description("x")) == (f"{name}/x/", f"{name}/x.json")


def test_the_last_month_has_no_folder():
    with pytest.raises(MonthError, match="9999-12 has no folder in a bucket"):
        _ = MonthFolder(Month(9999, 12)).name


def test_drop_ids_are_unique_and_sort_by_time():
    made = [new_drop_id() for _ in range(200)]
    assert len(set(made)) == 200
    assert [each[:22] for each in sorted(made)] == [each[:22] for each in made]
    assert all(is_plain_name(each) and each.isalnum() for each in made)


def test_a_drop_id_says_when_it_was_made():
    made = started_at(new_drop_id())
    assert abs(datetime.now(timezone.utc) - made) < timedelta(minutes=1)
    assert started_at("20260519T154516Z123456abcd") == datetime(2026, 5, 19, 15, 45, 16, 123456, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    "drop_id", ["x", "20260519T154516Z", "20260519T154516Z123456abc", "20269919T154516Z123456abcd"]
)
def test_other_ids_do_not(drop_id):
    assert started_at(drop_id) is None


def test_only_drops_of_this_package_are_described():
    ours = ["20260519T154516Z123456abcd", "20260518T154516Z123456abcd"]
    folder = MonthFolder(Month(2026, 5))
    others = [f"{folder.name}/{name}" for name in ("manifest.json", "x.json", f"{ours[0]}/x.json", f"{ours[0]}.csv")]
    assert folder.described([*others, *map(folder.description, ours)]) == ours[::-1]


def test_names_of_files_sort_as_their_numbers():
    names = [part_name(number) for number in (0, 1, 9, 10, 11, 99_999)]
    assert names == sorted(names)
    assert names[0] == "part-00000.csv.gz"


DROP = DropDescription(
    drop_id="d",
    rows=3,
    totals={"cost/cost": "1.5"},
    hours=2,
    sha256="abc",
    files=(DropFile("a.csv.gz", 2, 10, "aa"), DropFile("b.csv.gz", 1, 5, "bb")),
)


def test_a_description_is_read_as_it_was_written():
    assert DropDescription.parse("d", DROP.as_json()) == DROP


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b"null", b"\xff", DROP.as_json().replace(b"airflow-provider-cloudzero", b"somebody")]
    + [DROP.as_json().replace(b'"rows": 3', b'"rows": "x"'), DROP.as_json().replace(b'"sha256": "aa"', b'"other": 1')]
    + [DROP.as_json().replace(b"cost/cost", b"usage/amount"), DROP.as_json().replace(b'"1.5"', b'"a lot"')]
    + [DROP.as_json().replace(b'"a.csv.gz"', name) for name in (b'"../a"', b'"/etc/a"', b'".."', b'"a\\\\b"', b'""')],
)
def test_another_file_is_no_description(content):
    assert DropDescription.parse("d", content) is None


def test_a_description_of_another_drop_is_none():
    assert DropDescription.parse("e", DROP.as_json()) is None


@pytest.mark.parametrize(
    ("listed", "is_complete"),
    [
        ([("m/d/a.csv.gz", 10), ("m/d/b.csv.gz", 5)], True),
        ([("m/d/a.csv.gz", 10), ("m/d/b.csv.gz", 5), ("m/d/notes.txt", 1), ("m/e/c.csv", 1)], True),
        ([("m/d/a.csv.gz", 10)], False),
        ([("m/d/a.csv.gz", 10), ("m/d/b.csv.gz", 6)], False),
        ([("m/d/a.csv.gz", 10), ("m/d/b.csv.gz", 5), ("m/d/c.csv", 1)], False),
        ([("m/d/a.csv.gz", 10), ("m/d/b.csv.gz", 5), ("m/d/deep/c.csv.gz", 1)], False),
        ([], False),
    ],
)
def test_complete_is_what_cloudzero_would_read(listed, is_complete):
    assert DROP.is_complete("m/d/", [Listed(*each) for each in listed]) is is_complete
