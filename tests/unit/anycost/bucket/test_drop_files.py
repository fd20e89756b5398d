"""Rows as the files of a drop."""

from __future__ import annotations

import csv
import gzip
from decimal import Decimal

import pytest
from support.rows import bill_row, checked

from cloudzero_provider.anycost.bucket.drop_files import write_drop_files


def batches(*rows):
    return [checked(list(part)) for part in rows]


def read(files):
    rows = []
    for file in files.files:
        with gzip.open(files.path(file), "rt", encoding="utf-8", newline="") as text:
            rows.append([{name: cell for name, cell in row.items() if cell} for row in csv.DictReader(text)])
    return rows


def test_rows_keep_their_order_and_values(tmp_path):
    odd = [
        bill_row(3, cost="0.1", **{"lineitem/description": 'a "quoted", text\nof two lines'}),
        bill_row(1, cost="-0.000000000000000000000000000001"),
        bill_row(2, cost="999999999999999999", **{"resource/id": "grüße, 𝄞"}),
    ]
    files = write_drop_files(batches(odd), str(tmp_path))
    assert read(files) == [odd]
    assert (files.rows, files.hours) == (3, ("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z"))
    assert Decimal(files.total_cost) == Decimal("999999999999999999.099999999999999999999999999999")


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [([7], [3, 3, 1]), ([3, 3], [3, 3]), ([1, 1, 1, 1], [3, 1]), ([2, 5], [3, 3, 1]), ([6], [3, 3]), ([3, 1], [3, 1])],
)
def test_files_are_full_whatever_the_batches_are(tmp_path, sizes, expected):
    numbers = iter(range(1, 100))
    parts = [[bill_row(cost=str(next(numbers))) for _ in range(size)] for size in sizes]
    files = write_drop_files(batches(*parts), str(tmp_path), rows_per_file=3)
    assert [file.rows for file in files.files] == expected
    assert [int(row["cost/cost"]) for part in read(files) for row in part] == list(range(1, sum(sizes) + 1))
    assert [file.name for file in files.files] == [f"part-{number:05d}.csv.gz" for number in range(len(expected))]


def test_other_columns_begin_another_file(tmp_path):
    first, second = [bill_row(cost="1")], [bill_row(cost="2", **{"resource/id": "vm"})]
    files = write_drop_files(batches(first, first, second, first), str(tmp_path))
    assert read(files) == [first * 2, second, first]


def test_equal_rows_make_equal_files(tmp_path):
    rows = [bill_row(day) for day in range(1, 29)]
    made = []
    for name, parts in (("one", [rows]), ("two", [rows[:9], rows[9:]])):
        (tmp_path / name).mkdir()
        made.append(write_drop_files(batches(*parts), str(tmp_path / name), rows_per_file=10))
    assert made[0].files == made[1].files
    assert made[0].sha256 == made[1].sha256


@pytest.mark.parametrize("change", [{"cost": "2"}, {"day": 2}, {"resource/id": "vm"}])
def test_another_value_makes_another_hash(tmp_path, change):
    hashes = {write_drop_files(batches([bill_row(**each)]), str(tmp_path)).sha256 for each in ({}, change)}
    assert len(hashes) == 2


def test_another_order_makes_another_hash(tmp_path):
    rows = [bill_row(1), bill_row(2)]
    assert len({write_drop_files(batches(each), str(tmp_path)).sha256 for each in (rows, rows[::-1])}) == 2


def test_files_are_described_as_they_are_on_disk(tmp_path):
    files = write_drop_files(batches([bill_row()]), str(tmp_path))
    (file,) = files.files
    content = (tmp_path / file.name).read_bytes()
    assert (file.size, files.size) == (len(content), len(content))
    # No time in the header, so that equal rows make equal files.
    assert content[4:8] == b"\0\0\0\0"


def test_totals_of_all_cost_columns_are_exact(tmp_path):
    rows = [[bill_row(cost="0.1", **{"cost/on_demand_cost": "0.30"})] * 3, [bill_row(cost="0.2")]]
    assert write_drop_files(batches(*rows), str(tmp_path)).totals == {"cost/cost": "0.5", "cost/on_demand_cost": "0.9"}


def test_nothing(tmp_path):
    files = write_drop_files([], str(tmp_path))
    assert (files.rows, files.files, files.total_cost, files.hours) == (0, (), "0", ())
