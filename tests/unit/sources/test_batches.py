"""Files in batches: the rows, places and errors are those of files that are read whole."""

from __future__ import annotations

import gzip
import io
import tempfile
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, strategies as st

from cloudzero_provider.exceptions import ConfigurationError, InputError, MissingFileError
from cloudzero_provider.sources import csv_polars, from_files, joined, read_batches, read_files


@pytest.fixture(params=[4 * 1024 * 1024, 20], ids=["one piece", "many pieces"])
def piece(request, monkeypatch):
    monkeypatch.setattr(csv_polars, "_PIECE", request.param)


def written(folder, content, name="bill.csv"):
    path = folder / name
    data = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return str(path)


def values_of(rows):
    """Columns in order, their types and values, and the place of each row."""
    columns = {
        name: (values.dtype, values.to_list()) if isinstance(values, pl.Series) else values
        for name, values in rows.columns.items()
    }
    return list(columns.items()), [rows.where(index) for index in range(rows.count)], rows.is_table, rows.source


def outcome(read):
    """The rows of each file, or the error."""
    try:
        parts = list(read())
    except InputError as error:
        return str(error)
    sources = dict.fromkeys(rows.source for rows in parts)
    return [values_of(joined([rows for rows in parts if rows.source == source])) for source in sources]


def assert_same(files, rows_per_batch, **options):
    whole = outcome(lambda: read_files(files, **options))
    assert outcome(lambda: read_batches(files, rows_per_batch=rows_per_batch, **options)) == whole
    if not isinstance(whole, str):
        batches = list(read_batches(files, rows_per_batch=rows_per_batch, **options))
        assert all(rows.count <= rows_per_batch for rows in batches if ".json" not in rows.source)
        for source in {rows.source for rows in batches}:
            of_file = [rows for rows in batches if rows.source == source]
            assert len({str([*rows.columns]) for rows in of_file}) == 1
            # A file has an empty batch only if it has no rows.
            assert len(of_file) == 1 or all(rows.count for rows in of_file)


CELLS = st.text("x,\"\n\r;'ü \0", max_size=3)
LINES = st.lists(
    st.one_of(st.just("1,2"), st.just('"1","2"'), st.sampled_from(["", ",", '"1\n2",3', "1,2,3", '"', "\r"]), CELLS),
    max_size=12,
)


@pytest.mark.parametrize("piece", [4 * 1024 * 1024, 12])
@given(
    LINES,
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.sampled_from(["a,b", "a", "sep=,\na,b"]),
    st.integers(1, 5),
)
def test_any_csv_file(piece, lines, end, is_gzipped, header, rows_per_batch):
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_polars, "_PIECE", piece)
        name = "bill.csv.gz" if is_gzipped else "bill.csv"
        assert_same(written(Path(folder), end.join([header, *lines]), name), rows_per_batch)


GOOD = [f"{number},x{number}" for number in range(1, 31)]
ODD = {
    "a line break in a cell": '"3\n4",x',
    "an empty line": "",
    "a quote that is not closed": '"3,x',
    "a stray quote": 'x"3,x',
    "a line of another width": "1,2,3",
    "a carriage return": "3\r4,x",
    "a byte order mark": "\ufeff,x",
    "not UTF-8": b"\xff,x",
}


@pytest.mark.usefixtures("piece")
@pytest.mark.parametrize("place", [0, 1, 7, 15, 29, 30])
@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_one_line_that_is_not_plain(tmp_path, odd, place):
    lines = [line.encode() if isinstance(line, str) else line for line in ("a,b", *GOOD[:place], odd, *GOOD[place:])]
    for name in ("bill.csv", "bill.csv.gz"):
        for rows_per_batch in (1, 7, 10, 30, 31, 100):
            assert_same(written(tmp_path, b"\n".join(lines), name), rows_per_batch)


@pytest.mark.usefixtures("piece")
@pytest.mark.parametrize("left", [20, 100, 2_000, 30_000])
def test_a_gzip_file_that_is_cut_off(tmp_path, left):
    lines = "\n".join(f"{number * 7919 % 10007},{number}" for number in range(20_000))
    path = tmp_path / "bill.csv.gz"
    path.write_bytes(gzip.compress(f"a,b\n{lines}".encode())[:left])
    assert_same(str(path), 1_000)


def test_a_batch_is_yielded_before_the_next_is_read(tmp_path):
    path = written(tmp_path, "a\n" + "1\n" * 30 + '"')
    batches = read_batches(path, rows_per_batch=10)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_polars, "_PIECE", 20)
        assert [next(batches).count, next(batches).count] == [10, 10]
        with pytest.raises(InputError, match=r"after line 3\d: unexpected end of data"):
            list(batches)


@pytest.mark.usefixtures("piece")
@pytest.mark.parametrize("rows", [0, 1, 9, 10, 11, 20, 25])
def test_the_last_batch_has_what_is_left(tmp_path, rows):
    frame = pl.DataFrame({"a": [str(number) for number in range(rows)], "b": "x"}, schema_overrides={"a": pl.String})
    csv, parquet = tmp_path / "bill.csv", tmp_path / "bill.parquet"
    frame.write_csv(csv)
    frame.write_parquet(parquet)
    broken = written(tmp_path, csv.read_text().replace("x", '"x\ny"'), "broken.csv")
    expected = [min(10, rows - start) for start in range(0, rows, 10)] or [0]
    for path in (csv, parquet, broken):
        assert [rows.count for rows in read_batches(str(path), rows_per_batch=10)] == expected
        assert_same(str(path), 10)


PARQUET = {
    "text": ["a", None, "ü"],
    "integer": [1, None, 3],
    "small": pl.Series([1, None, 3], dtype=pl.Int8),
    "decimal": [Decimal("1.50"), None, Decimal("-3")],
    "float": [0.1, None, 3.0],
    "bool": [True, None, False],
    "time": [datetime(2026, 3, 1, 5, tzinfo=timezone.utc), None, datetime(2026, 3, 2, tzinfo=timezone.utc)],
    "category": pl.Series(["x", None, "y"], dtype=pl.Categorical),
    "list": [[1, None], None, []],
    "struct": [{"k": 1}, None, {"k": 2}],
    "none": pl.Series([None] * 3, dtype=pl.Null),
}


@pytest.mark.parametrize("row_group_size", [1, 7, 60, 1_000])
def test_parquet_keeps_types_whatever_its_row_groups(tmp_path, row_group_size):
    frame = pl.concat([pl.DataFrame(PARQUET)] * 20).with_columns(number=pl.int_range(60))
    frame.write_parquet(tmp_path / "bill.parquet", row_group_size=row_group_size)
    for rows_per_batch in (1, 7, 59, 60, 61):
        assert_same(str(tmp_path / "bill.parquet"), rows_per_batch)


def test_a_parquet_file_that_is_broken(tmp_path):
    data = io.BytesIO()
    pl.DataFrame({"a": range(100)}).write_parquet(data)
    for cut in (data.getvalue()[:-20], data.getvalue()[:50], b"PAR1\x00" + b"x" * 50):
        assert_same(written(tmp_path, cut, "bill.parquet"), 10)
        assert "not a readable Parquet file" in outcome(lambda: read_batches(str(tmp_path / "bill.parquet")))


def test_maps_in_batches_keep_all_entries(tmp_path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    maps = [[("a", "1"), ("b", "2"), ("a", "3")], [], None, [("z", "1")]] * 8
    columns = {"Tags": pa.array(maps, type=pa.map_(pa.string(), pa.string())), "number": list(range(32))}
    path = str(tmp_path / "bill.parquet")
    for row_group_size in (3, 32):
        pq.write_table(pa.table(columns), path, row_group_size=row_group_size)
        for rows_per_batch in (1, 5, 31, 32):
            assert_same(path, rows_per_batch)
            found = joined(list(read_batches(path, rows_per_batch=rows_per_batch))).columns["Tags"]
            assert [None if one is None else [tuple(pair.values()) for pair in one] for one in found.to_list()] == maps


@pytest.mark.parametrize("rows", [{"bill.json": '[{"a": 1}, {"b": null}]'}, {"bill.jsonl.gz": '{"a": 1}\n' * 3}])
def test_json_is_one_batch(tmp_path, rows):
    [(name, text)] = rows.items()
    path = written(tmp_path, text, name)
    assert len(list(read_batches(path, rows_per_batch=1))) == 1
    assert_same(path, 1)


def test_a_file_is_never_in_a_batch_with_another(tmp_path):
    first = written(tmp_path, "a,b\n1,2\n3,4\n5,6\n", "1.csv")
    empty = written(tmp_path, "b\n", "2.csv")
    third = written(tmp_path, '{"c": 1}', "3.jsonl")
    batches = list(read_batches([first, empty, third], rows_per_batch=2))
    assert [(rows.source, rows.count, [*rows.columns]) for rows in batches] == [
        (first, 2, ["a", "b"]),
        (first, 1, ["a", "b"]),
        (empty, 0, ["b"]),
        (third, 1, ["c"]),
    ]
    assert [rows.where(0) for rows in batches if rows.count] == [
        f"{first}, line 2",
        f"{first}, line 4",
        f"{third}, line 1",
    ]
    assert_same([first, empty, third], 2)


def test_equal_files_are_found_after_the_last_batch(tmp_path):
    lines = [f"{number},x" for number in range(25)]
    first = written(tmp_path, "\n".join(["a,b", *lines]), "1.csv")
    shorter = written(tmp_path, "\n".join(["a,b", *lines[1:]]), "2.csv")
    other = written(tmp_path, "\n".join(["a,b", *lines[1:], "0,y"]), "3.csv")
    again = str(tmp_path / "4.parquet")
    pl.DataFrame({"c": None, "b": "x", "a": range(24, -1, -1)}).write_parquet(again)
    assert_same([first, shorter, other], 7)
    for rows_per_batch in (1, 7, 100):
        assert_same([first, shorter, other, again], rows_per_batch)
        batches = read_batches([first, shorter, other, again], rows_per_batch=rows_per_batch)
        counts = []
        with pytest.raises(InputError) as error:
            counts.extend(rows.count for rows in batches)
        assert str(error.value).startswith(f"{again} holds the same 25 rows as {first}, which would count twice;")
    assert from_files([first, again], allow_equal_files=True).count == 50
    assert_same([first, again], 7, allow_equal_files=True)


def test_rows_that_exchange_values_are_not_equal(tmp_path):
    first = written(tmp_path, "a,b\n1,2\n3,4\n", "1.csv")
    second = written(tmp_path, "a,b\n1,4\n3,2\n", "2.csv")
    third = written(tmp_path, "a,b\n2,1\n4,3\n", "3.csv")
    assert_same([first, second, third], 1)


def test_files_that_are_missing_or_not_what_their_name_says(tmp_path):
    for name, content in (
        ("bill.csv", b"PAR1\x00x"),
        ("bill.parquet", b"a,b"),
        ("bill.csv", b""),
        ("bill.csv.gz", b""),
    ):
        (tmp_path / name).write_bytes(content)
        assert_same(str(tmp_path / name), 10)
    with pytest.raises(MissingFileError):
        next(read_batches(str(tmp_path / "none.csv")))


@pytest.mark.parametrize("size", [0, -1, 1.5, "many", None])
def test_a_size_that_is_none(tmp_path, size):
    with pytest.raises(ConfigurationError, match="rows_per_batch is "):
        next(read_batches(written(tmp_path, "a\n1\n"), rows_per_batch=size))
