"""Files that hold the same rows: an export that ran twice, and a pattern that takes both."""

from __future__ import annotations

import gzip
from datetime import date, datetime, timezone
from decimal import Decimal

import polars as pl
import pytest

from cloudzero_provider.exceptions import InputError
from cloudzero_provider.sources import from_files, read_files

BILL = "day,cost\n2024-09-01,10\n2024-09-02,20\n"
LINES = '{"day": "2024-09-01", "cost": 10}\n{"day": "2024-09-02", "cost": 20}\n'


def written(folder, *contents):
    """Files, each in a folder of its own, of name and content."""
    paths = []
    for number, (name, content) in enumerate(contents, start=1):
        path = folder / f"run{number}" / name
        path.parent.mkdir()
        if isinstance(content, pl.DataFrame):
            content.write_parquet(path)
        else:
            path.write_bytes(gzip.compress(content.encode()) if name.endswith(".gz") else content.encode())
        paths.append(str(path))
    return paths


def test_the_error_names_both_files_and_the_ways_out(tmp_path):
    first, second, third = written(tmp_path, ("0.csv", BILL), ("1.csv", "day,cost\n2024-09-01,1\n"), ("0.csv", BILL))
    assert from_files([first, second]).count == 3
    for files in ([first, second, third], str(tmp_path / "run*" / "*.csv")):
        with pytest.raises(InputError) as error:
            from_files(files)
        assert str(error.value) == (
            f"{third} holds the same 2 rows as {first}, which would count twice; nothing was sent. Name one of the two, "
            "or set allow_equal_files=True if both are meant."
        )
    assert from_files([first, second, third], allow_equal_files=True).count == 5


EQUAL = {
    "gzip": ("1.csv.gz", BILL),
    "line ends": ("1.csv", BILL.replace("\n", "\r\n")),
    "byte order mark": ("1.csv", f"\ufeff{BILL}"),
    "no line end at the end": ("1.csv", BILL.rstrip()),
    "quotes": ("1.csv", BILL.replace("10", '"10"')),
    "blank lines": ("1.csv", BILL.replace("\n", "\n\n")),
    "separator": ("1.csv", BILL.replace(",", ";")),
    "order of rows": ("1.csv", "day,cost\n2024-09-02,20\n2024-09-01,10\n"),
    "order of columns": ("1.csv", "cost,day\n10,2024-09-01\n20,2024-09-02\n"),
    "a column without values": ("1.csv", "day,cost,tag\n2024-09-01,10,\n2024-09-02,20,\n"),
    "JSON lines": ("1.json", LINES),
    "a JSON array": ("1.json.gz", f"[{LINES.strip().replace(chr(10), ',')}]"),
    "Parquet": ("1.parquet", pl.DataFrame({"day": ["2024-09-01", "2024-09-02"], "cost": [10, 20]})),
}


@pytest.mark.parametrize("other", EQUAL.values(), ids=EQUAL)
def test_the_same_rows_written_in_another_way(tmp_path, other):
    with pytest.raises(InputError, match="holds the same 2 rows as"):
        from_files(written(tmp_path, ("0.csv", BILL), other))


OTHER = {
    "another value": BILL.replace("20", "21"),
    "values of each other's rows": "day,cost\n2024-09-01,20\n2024-09-02,10\n",
    "values of each other's columns": "cost,day\n2024-09-01,10\n2024-09-02,20\n",
    "another column": BILL.replace("cost", "costs"),
    "a column more": "day,cost,tag\n2024-09-01,10,x\n2024-09-02,20,\n",
    "a row more": f"{BILL}2024-09-03,30\n",
    "one row twice": "day,cost\n2024-09-01,10\n2024-09-01,10\n",
    "half of it": "day,cost\n2024-09-01,10\n",
}


@pytest.mark.parametrize("other", OTHER.values(), ids=OTHER)
def test_other_rows_are_no_trouble(tmp_path, other):
    paths = written(tmp_path, ("0.csv", BILL), ("1.csv", other))
    assert from_files(paths).count == 2 + other.count("\n") - 1


def test_files_without_rows_are_equal_to_none(tmp_path):
    assert from_files(written(tmp_path, *[("0.csv", "day,cost\n")] * 3, *[("0.jsonl", "")] * 2)).count == 0


def test_one_row_is_enough(tmp_path):
    with pytest.raises(InputError, match="holds the same row as"):
        from_files(written(tmp_path, *[("0.csv", "day,cost\n2024-09-01,10\n")] * 2))


def test_rows_without_a_value_are_equal(tmp_path):
    with pytest.raises(InputError, match="holds the same 2 rows as"):
        from_files(written(tmp_path, *[("0.jsonl", "{}\n{}\n")] * 2))


def test_the_first_of_many_is_found(tmp_path):
    paths = written(tmp_path, *[("0.csv", f"day,cost\n2024-09-01,{number}\n") for number in (1, 2, 3, 1)])
    with pytest.raises(InputError, match=r"run4/0\.csv holds the same row as .*run1/0\.csv"):
        from_files(paths)
    assert from_files(paths[:3]).count == 3


VALUES = {
    "decimal": Decimal("1.50"),
    "float": 0.1,
    "bool": True,
    "date": date(2024, 9, 1),
    "time": datetime(2024, 9, 1, 5, tzinfo=timezone.utc),
    "bytes": b"\xff\x00",
    "list": [1, None, 3],
    "struct": {"a": 1, "b": [{"c": "ü"}]},
    "tags": [{"key": "team", "value": "web"}],
    "none": None,
}


@pytest.mark.parametrize("name", VALUES)
def test_any_type_of_a_parquet_column(tmp_path, name):
    frame = pl.DataFrame({"number": [1, 2, 3], name: [VALUES[name], None, VALUES[name]]})
    other = frame.with_columns(pl.col(name).shift(1))
    again = frame.reverse()
    paths = written(tmp_path, ("0.parquet", frame), ("0.parquet", other), ("0.parquet", again))
    if name != "none":
        assert from_files(paths[:2]).count == 6
    with pytest.raises(InputError, match="holds the same 3 rows as"):
        from_files([paths[0], paths[2]])


def test_nested_values_of_json(tmp_path):
    lines = '{"a": [{"k": "\\ud800"}], "b": 1.50}\n'
    paths = written(tmp_path, ("0.jsonl", lines), ("0.jsonl", lines.replace("1.50", "1.51")), ("0.jsonl", lines))
    assert from_files(paths[:2]).count == 2
    with pytest.raises(InputError, match="holds the same row as"):
        from_files(paths)


def test_a_file_is_refused_before_the_next_one_is_read(tmp_path):
    paths = written(tmp_path, ("0.csv", BILL), ("0.csv", BILL))
    reading = read_files([*paths, str(tmp_path / "none.csv")])
    assert next(reading).count == 2
    with pytest.raises(InputError, match="holds the same 2 rows as"):
        next(reading)
