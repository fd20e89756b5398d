from __future__ import annotations

import gzip

import pytest

from cloudzero_provider.exceptions import InputError
from cloudzero_provider.sources import from_files, from_records

HEADER = "time/usage_start,cost/cost,lineitem/description\n"


def file(folder, text, name="bill.csv", encoding="utf-8"):
    path = folder / name
    content = text.encode(encoding)
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return str(path)


def cells(rows):
    return {name: list(values) for name, values in rows.columns.items()}


def test_records_keep_their_values_and_their_order():
    rows = from_records([{"a": 1}, {"b": None, "a": "x"}])
    assert cells(rows) == {"a": [1, "x"], "b": [None, None]}
    assert (rows.count, rows.where(0), rows.where(1233)) == (2, "row 1", "row 1,234")


def test_lists_of_lists_are_strung_together():
    assert cells(from_records([[{"a": 1}], [], ({"a": 2}, {"a": 3})])) == {"a": [1, 2, 3]}


def test_a_generator_is_taken():
    assert from_records({"a": n} for n in range(3)).count == 3


@pytest.mark.parametrize(
    ("records", "words"),
    [
        (None, "records is None"),
        ("[{'a': 1}]", "records is a str: expected a list of dicts. A template gives text"),
        ({"a": 1}, "records is a dict: expected a list of dicts"),
        (7, "records is a int"),
        ([{"a": 1}, 5], "row 2 is a int, not a dict"),
        ([5], "row 1 is a int"),
        ([[{"a": 1}], None], r"records\[1\] is a NoneType among lists of rows"),
        ([{"a": 1}, {3: 1}], "row 2 has the column name 3"),
        ([{"": 1}], "row 1 has the column name ''"),
        ([{"\ud800": 1}], "row 1 has the column name"),
    ],
)
def test_what_is_no_list_of_dicts_says_what_it_is(records, words):
    with pytest.raises(InputError, match=words):
        from_records(records)


@pytest.mark.parametrize("name", ["bill.csv", "bill.csv.gz"])
def test_a_csv_file_is_read_as_it_is_written(tmp_path, name):
    rows = from_files(file(tmp_path, HEADER + '2026-03-01,012.50,"a, ""b""\nc"\n\n2026-03-02,,\n', name))
    assert cells(rows) == {
        "time/usage_start": ["2026-03-01", "2026-03-02"],
        "cost/cost": ["012.50", ""],
        "lineitem/description": ['a, "b"\nc', ""],
    }
    assert rows.where(1) == f"{tmp_path / name}, line 5"


def test_a_byte_order_mark_is_not_part_of_the_first_column(tmp_path):
    assert list(from_files(file(tmp_path, "a,b\n1,2\n", encoding="utf-8-sig")).columns) == ["a", "b"]


def test_files_are_strung_together_and_errors_name_file_and_line(tmp_path):
    first = file(tmp_path, "a,b\n1,2\n", "1.csv")
    empty = file(tmp_path, "a,b\n", "2.csv")
    third = file(tmp_path, "b,c\n3,4\n5,6\n", "3.csv")
    rows = from_files([first, empty, third])
    assert cells(rows) == {"a": ["1", None, None], "b": ["2", "3", "5"], "c": [None, "4", "6"]}
    assert [rows.where(index) for index in range(3)] == [f"{first}, line 2", f"{third}, line 2", f"{third}, line 3"]


def test_more_rows_than_a_block(tmp_path):
    rows = from_files(file(tmp_path, "a\n" + "".join(f"{n}\n" for n in range(45_000))))
    assert list(rows.columns["a"]) == [str(n) for n in range(45_000)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the file is empty"),
        ("a,b,a\n", "line 1: the header names 'a' twice"),
        ("a,,c\n", "line 1: column 2 has no name"),
        ("a,b\n1,2\n3\n", "line 3: 1 cells, but the header has 2"),
        ("a,b\n1,2,3\n", "line 2: 3 cells, but the header has 2"),
        ('a,b\n1,"2\n', "after line 2: unexpected end of data"),
    ],
)
def test_a_bad_file_says_where(tmp_path, text, words):
    path = file(tmp_path, text)
    with pytest.raises(InputError) as error:
        from_files(path)
    assert path in str(error.value)
    assert words in str(error.value)


def test_files_that_cannot_be_read_say_why(tmp_path):
    with pytest.raises(InputError, match=r"none\.csv: the file can't be read \(No such file"):
        from_files(str(tmp_path / "none.csv"))
    with pytest.raises(InputError, match=r"expected a file that ends in \.csv, \.csv\.gz"):
        from_files(str(tmp_path / "bill.xlsx"))
    (tmp_path / "bad.csv.gz").write_bytes(b"no gzip")
    with pytest.raises(InputError, match="Not a gzipped file"):
        from_files(str(tmp_path / "bad.csv.gz"))
    (tmp_path / "short.csv.gz").write_bytes(gzip.compress(b"a\n" + b"1\n" * 10_000)[:40])
    with pytest.raises(InputError, match=r"short\.csv\.gz"):
        from_files(str(tmp_path / "short.csv.gz"))
    with pytest.raises(InputError, match="no valid UTF-8"):
        from_files(file(tmp_path, "a\nMüller\n", encoding="latin-1"))
    for nothing in (None, []):
        with pytest.raises(InputError, match="files is"):
            from_files(nothing)


@pytest.mark.parametrize(
    ("files", "words"), [([None], "files\\[0\\] is a NoneType"), ([b"a.csv"], "is a bytes"), ("a\0.csv", "NUL")]
)
def test_what_is_no_path_says_so(files, words):
    with pytest.raises(InputError, match=words):
        from_files(files)


def test_a_file_named_twice_is_refused(tmp_path):
    path = file(tmp_path, "a\n1\n")
    (tmp_path / "link.csv").symlink_to(path)
    for twice in ([path, path], [path, str(tmp_path / "link.csv")]):
        with pytest.raises(InputError, match="its rows would count twice"):
            from_files(twice)


def test_a_long_cell_and_a_blank_line_before_the_header(tmp_path):
    rows = from_files(file(tmp_path, "\na,b\n" + "x" * 1_000_000 + ",1\n"))
    assert len(rows.columns["a"][0]) == 1_000_000
    assert rows.where(0).endswith("line 3")
