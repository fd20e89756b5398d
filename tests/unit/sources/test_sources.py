from __future__ import annotations

import csv
import gzip
import sqlite3
import tempfile
from datetime import date
from decimal import Decimal
from fnmatch import fnmatch
from itertools import islice
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, strategies as st

from cloudzero_provider.exceptions import CloudZeroError, InputError
from cloudzero_provider.sources import csv_files, csv_polars, from_cursor, from_files, from_records
from cloudzero_provider.sources.csv_polars import read_plain_csv
from cloudzero_provider.sources.csv_separators import Separator

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
        ("[{'a': 1}]", "records is a str: expected a list of dicts. A template renders text"),
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
def test_the_error_names_the_type_of_what_is_not_a_list_of_dicts(records, words):
    with pytest.raises(InputError, match=words):
        from_records(records)


@pytest.mark.parametrize("name", ["bill.csv", "bill.csv.gz"])
def test_a_csv_file_is_read_unchanged(tmp_path, name):
    rows = from_files(file(tmp_path, HEADER + '2026-03-01,012.50,"a, ""b""\nc"\n\n2026-03-02,,\n', name))
    assert cells(rows) == {
        "time/usage_start": ["2026-03-01", "2026-03-02"],
        "cost/cost": ["012.50", None],
        "lineitem/description": ['a, "b"\nc', None],
    }
    assert rows.where(1) == f"{tmp_path / name}, line 5"


CELLS = st.sampled_from(
    ["", "x", "1.50", ",", ";", '"', '""', '"x"', '"a,b"', '"a""b"', " ", "\r", "\n", "\r\n", "\x01", "ü", "#", "\x00"]
)


LINES = st.lists(st.one_of(st.sampled_from(["x,y", '"x",', ","]), st.lists(CELLS, max_size=5).map("".join)), max_size=6)


@given(
    LINES.map("\n".join),
    st.sampled_from(["a", "a,b", '"a",b', "a,b\r", "a,a", "\ufeffa,b"]),
    st.sampled_from(",;\t|"),
)
def test_the_engine_reads_a_csv_file_as_python_does_or_leaves_it_alone(text, header, separator):
    with tempfile.TemporaryDirectory() as folder:
        path = file(Path(folder), f"{header}\n{text}".translate(str.maketrans({",": separator, separator: ","})))
        with open(path, "rb") as opened:
            by_engine = read_plain_csv(opened, separator)
        by_python = by_itself(path, separator)
        if by_engine is not None:
            assert (by_engine.to_dict(as_series=False), list(range(2, by_engine.height + 2))) == by_python


@pytest.mark.parametrize("cell", ["x\x01", "x\x01\x03", "x^", "x^1", "x^\x01\x02abcdefgh", "xڀ", "xڀxڀ"])
def test_text_that_begins_like_a_compressed_file_is_not_decompressed(tmp_path, cell):
    for line in (cell, f"{cell},1", f'{cell},"1"'):
        header = "a,b" if "," in line else "a"
        rows = from_files(str(file(tmp_path, f"{header}\n{line}\n{line}\n")))
        assert cells(rows)["a"] == [cell, cell]


@pytest.mark.parametrize("cell", ["\ufeff", "\ufeffx"])
def test_only_a_file_begins_with_a_byte_order_mark(tmp_path, monkeypatch, cell):
    monkeypatch.setattr(csv_polars, "_PIECE", 1)
    for line in (cell, f"{cell},1", f'{cell},"1"'):
        header = "a,b" if "," in line else "a"
        rows = from_files(str(file(tmp_path, f"\ufeff{header}\n{line}\n{line}\n")))
        assert cells(rows)["a"] == [cell, cell]


def by_itself(path, separator):
    """What Python's reader makes of a file: the cells, and the line of each row."""
    with open(path, encoding="utf-8-sig", newline="") as stream:
        try:
            (rows,) = csv_files._CsvReader(path, stream, Separator(separator)).batches()
        except (InputError, csv.Error) as error:
            return error
    return cells(rows), [int(rows.where(index).rpartition(" ")[2]) for index in range(rows.count)]


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,2\n3,4",
        'a,b\r\n"x,""y""",\r\n',
        'a,b\n"x","y"\n,""',
        'a,b\n"x","y"\r\n"","z"\n',
        "a\n1\n",
        'a\n""\n"x"',
        "\ufeffa,b\n1,2\n",
        "a,b\n",
    ],
)
def test_a_plain_csv_file_is_read_by_the_engine(tmp_path, text):
    path = file(tmp_path, text)
    with open(path, "rb") as opened:
        assert read_plain_csv(opened) is not None


@pytest.mark.parametrize(
    "text",
    [
        "a,b\r\r\n1,2\r\n",
        "a,b\r1,2\n",
        "a,b\n1,2\rx\n3,4\ry\n",
        'a,"b"c\n1,2\n',
        "a,b\n1,2\n\r\n",
        "a,b\n1,2,\n",
        "a,b\n1\n",
        # Short and long lines, as many separators as there should be.
        "a,b\n1\n1,2,3\n",
        'a,b\n"1"\n1,"2",3\n',
        'a,b\n"1,"\n1,2,"3"\n',
        'a,b\n"1",2\n\n',
        'a,b\n"1\n2",3\n',
        'a,b\n"1\r2",3\n',
        'a,b\n1,x"2"\n',
        'a,b\n1,""2""\n',
        'a,b\n1,"2\n',
        'a,b\n"1" ,2\n',
        'a\n""\n\n',
        "a\n1\n\n2\n",
    ],
)
def test_polars_reads_no_file_with_a_stray_line_break_or_quote_or_a_line_of_another_width(tmp_path, text):
    with open(file(tmp_path, text), "rb") as opened:
        assert read_plain_csv(opened) is None


@pytest.mark.parametrize("odd", ["", '"1"', '"', "1,2,3"])
def test_a_file_of_several_pieces_is_read_as_one(tmp_path, monkeypatch, odd):
    monkeypatch.setattr(csv_polars, "_PIECE", 20)
    lines = ["a,b", *(f'x{number},"y,{number}"' if number % 7 == 0 else f"x{number},y" for number in range(50))]
    path = file(tmp_path, "\n".join([*lines, f"{odd},z", *lines[1:]]))
    with open(path, "rb") as opened:
        frame = read_plain_csv(opened)
    if odd in ('"', "1,2,3"):
        assert frame is None
    else:
        assert (frame.to_dict(as_series=False), list(range(2, frame.height + 2))) == by_itself(path, ",")


@pytest.mark.parametrize("text", ["a,b\r\r\nx,2\r\n", "a,b\n\nx,2\n"])
def test_rows_after_a_stray_line_break_keep_their_line(tmp_path, text):
    assert from_files(path := file(tmp_path, text)).where(0) == f"{path}, line 3"


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


@pytest.mark.parametrize(("nothing", "words"), [(None, "files is None"), ([], "empty list"), (7, "is a int")])
def test_no_files_at_all(nothing, words):
    with pytest.raises(InputError, match=words):
        from_files(nothing)


@pytest.mark.parametrize(
    ("files", "words"), [([None], "files\\[0\\] is a NoneType"), ([b"a.csv"], "is a bytes"), ("a\0.csv", "NUL")]
)
def test_values_that_are_not_paths(files, words):
    with pytest.raises(InputError, match=words):
        from_files(files)


def test_a_file_named_twice_is_refused(tmp_path):
    path = file(tmp_path, "a\n1\n")
    (tmp_path / "link.csv").symlink_to(path)
    uri = f"file://{path}"
    for twice in ([path, path], [path, str(tmp_path / "link.csv")], [path, uri], [uri, f"file://{tmp_path}//bill.csv"]):
        with pytest.raises(InputError, match="its rows would count twice"):
            from_files(twice)


def test_a_long_cell_and_a_blank_line_before_the_header(tmp_path):
    rows = from_files(file(tmp_path, "\na,b\n" + "x" * 1_000_000 + ",1\n"))
    assert len(rows.columns["a"][0]) == 1_000_000
    assert rows.where(0).endswith("line 3")


@pytest.mark.parametrize("ending", ["jsonl", "jsonl.gz", "ndjson", "ndjson.gz"])
def test_json_lines_are_read_exactly(tmp_path, ending):
    rows = from_files(
        file(tmp_path, '{"a": 1e-20, "b": [1.5]}\n\n{"a": 12345678901234567890, "c": null}', f"x.{ending}")
    )
    assert cells(rows) == {
        "a": [Decimal("1e-20"), 12345678901234567890],
        "b": [[Decimal("1.5")], None],
        "c": [None, None],
    }
    assert rows.where(1).endswith(f"x.{ending}, line 3")
    assert not rows.is_table


@pytest.mark.parametrize("ending", ["json", "json.gz"])
def test_a_json_array_is_read_exactly_and_knows_its_lines(tmp_path, ending):
    rows = from_files(file(tmp_path, '\ufeff [\n {"a":\n0.10},{"a": "\\n"},\r\n{"a": {"b": []}}\n]\n', f"x.{ending}"))
    assert cells(rows) == {"a": [Decimal("0.10"), "\n", {"b": []}]}
    assert [rows.where(index)[-6:] for index in range(3)] == ["line 2", "line 3", "line 4"]
    assert from_files(file(tmp_path, " [ ] ", "empty.json")).count == 0


def test_parquet_keeps_types(tmp_path):
    frame = pl.DataFrame(
        {"a": ["x", None], "b": [Decimal("1.50"), None], "c": [date(2026, 3, 1), None], "d": [{"e": 1}, None]},
    ).with_columns(kind=pl.col("a").cast(pl.Categorical))
    frame.write_parquet(tmp_path / "x[1].parquet")
    rows = from_files(tmp_path / "x[1].parquet")
    assert cells(rows) == {**frame.to_dict(as_series=False), "kind": ["x", None]}
    assert rows.columns["kind"].dtype == pl.String
    assert (rows.where(1), rows.is_table) == (f"{tmp_path / 'x[1].parquet'}, row 2", True)


def test_patterns_are_read_in_the_order_of_their_names(tmp_path):
    for name in ("b.csv", "a.csv", "c.CSV"):
        file(tmp_path, f"a\n{name}\n", name)
    assert cells(from_files([str(tmp_path / "[ab].csv"), tmp_path / "*.CSV"])) == {"a": ["a.csv", "b.csv", "c.CSV"]}


def test_files_of_several_kinds_are_strung_together(tmp_path):
    pl.DataFrame({"b": [2.5], "z": [True]}).write_parquet(tmp_path / "3.parquet")
    rows = from_files([file(tmp_path, "a,b\n1,2\n"), file(tmp_path, '{"b": 2}', "2.jsonl"), tmp_path / "3.parquet"])
    assert cells(rows) == {"a": ["1", None, None], "b": ["2", 2, 2.5], "z": [None, None, True]}
    assert rows.where(2).endswith("3.parquet, row 1")


TAGS = pl.DataFrame({"tags": [[{"key": "a", "value": "b"}]]})


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (TAGS, pl.DataFrame({"tags": [None]})),
        (pl.DataFrame({"tags": [None]}, schema={"tags": pl.Int64}), TAGS),
        (pl.DataFrame({"other": [1]}), TAGS),
    ],
)
def test_a_column_without_values_in_one_file_keeps_the_type_it_has_in_the_other(tmp_path, first, second):
    first.write_parquet(tmp_path / "1.parquet")
    second.write_parquet(tmp_path / "2.parquet")
    column = from_files(str(tmp_path / "*.parquet")).columns["tags"]
    assert column.dtype == TAGS["tags"].dtype
    assert [tags for tags in column.to_list() if tags] == TAGS["tags"].to_list()
    assert len(column) == 2


def test_nested_values_of_several_types_are_strung_together(tmp_path):
    TAGS.write_parquet(tmp_path / "1.parquet")
    rows = from_files([tmp_path / "1.parquet", file(tmp_path, '{"tags": {"a": "c"}}', "2.jsonl")])
    assert cells(rows) == {"tags": [[{"key": "a", "value": "b"}], {"a": "c"}]}


def test_short_floats_and_long_ones_are_strung_together(tmp_path):
    frame = pl.DataFrame({"cost": [0.1]})
    frame.write_parquet(tmp_path / "1.parquet")
    frame.cast(pl.Float32).write_parquet(tmp_path / "2.parquet")
    assert cells(from_files(str(tmp_path / "*.parquet"), allow_equal_files=True)) == {"cost": [0.1, 0.1]}


class Shelf:
    """A store of files that are not on this machine."""

    def __init__(self, **files):
        self.files = {f"shelf://{name}": content for name, content in files.items()}

    def find(self, uri):
        return [name for name in self.files if fnmatch(name, uri)]

    def fetch(self, uri, file):
        file.write(self.files[uri])


def test_files_of_a_store_are_read_by_their_own_names():
    shelf = Shelf(**{"2.csv": b"a\n2\n", "1.csv": b"a\n1\n", "3.csv.gz": gzip.compress(b"a\n3\n")})
    rows = from_files(["shelf://*.csv", "shelf://3.csv.gz"], shelf)
    assert cells(rows) == {"a": ["1", "2", "3"]}
    assert rows.where(1) == "shelf://2.csv, line 2"
    with pytest.raises(InputError, match=r"shelf://9\*: no file matches"):
        from_files("shelf://9*", shelf)
    with pytest.raises(InputError, match=r"shelf://bad\.csv, line 2: not valid UTF-8"):
        from_files("shelf://bad.csv", Shelf(**{"bad.csv": b"a\n\xff\n"}))


def test_no_copy_of_a_stores_file_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    from_files("shelf://1.csv", Shelf(**{"1.csv": b"a\n1\n"}))
    with pytest.raises(InputError):
        from_files("shelf://1.csv", Shelf(**{"1.csv": b""}))
    assert list(tmp_path.iterdir()) == []


def test_a_generator_is_taken_block_by_block_and_its_own_error_reaches_the_caller():
    def rows(count):
        for number in range(count):
            yield {"a": str(number), "late": 1} if number == 30_000 else {"a": str(number)}
        raise ConnectionError("the vendor's API is down")

    with pytest.raises(ConnectionError, match="vendor"):
        from_records(rows(30_000))
    found = from_records(islice(rows(50_000), 45_000))
    assert list(found.columns["a"]) == [str(number) for number in range(45_000)]
    assert [index for index, value in enumerate(found.columns["late"]) if value] == [30_000]


def test_an_error_far_down_names_its_row():
    rows = [{"a": 1}] * 25_000
    with pytest.raises(InputError, match="row 25,001 is a str, not a dict"):
        from_records([*rows, "x"])
    with pytest.raises(InputError, match="row 25,001 has the column name 7"):
        from_records([*rows, {7: 1}])


def test_too_many_columns_are_no_table():
    with pytest.raises(InputError, match="20,000 different columns, which is more than can be read"):
        from_records({str(number): 1} for number in range(30_000))


def test_a_long_table_is_a_table():
    flags = pl.repeat(True, 2_500_000, dtype=pl.Boolean, eager=True)
    table = pl.DataFrame({f"column {number}": flags for number in range(44)})
    assert from_records(table).count == from_records([table[:-1], table[-1:]]).count == 2_500_000


class Stream:
    """What Arrow's stream interface knows, and nothing else does."""

    def __init__(self, source):
        self.source = source

    def __arrow_c_stream__(self, requested_schema=None):
        return self.source.__arrow_c_stream__(requested_schema)


class TestFrames:
    FRAME = pl.DataFrame({"a": ["x", "ü"], "b": [1, -2], "c": [Decimal("1.50"), None]})

    @pytest.mark.parametrize("given", [FRAME, FRAME.lazy()], ids=["eager", "lazy"])
    def test_polars(self, given):
        rows = from_records(given)
        assert cells(rows) == self.FRAME.to_dict(as_series=False)
        assert (rows.count, rows.where(1), rows.is_table) == (2, "row 2", True)

    def test_several_frames_and_lists_are_strung_together(self):
        rows = from_records([self.FRAME, [], [{"a": "y", "d": 1}], self.FRAME.lazy()])
        assert cells(rows)["a"] == ["x", "ü", "y", "x", "ü"]
        assert cells(rows)["d"] == [None, None, 1, None, None]
        assert rows.where(4) == "row 5"

    def test_a_lazy_frame_has_its_rows_in_the_order_of_the_query(self):
        """polars 2 streams by default, and then mixes them."""
        lazy = pl.LazyFrame({"a": range(5000), "b": range(5000), "c": range(5000)})
        rows = from_records(lazy.unpivot(["b", "c"], index="a"))
        assert cells(rows)["value"] == [*range(5000), *range(5000)]
        assert cells(rows)["variable"] == ["b"] * 5000 + ["c"] * 5000

    def test_pandas(self):
        pandas = pytest.importorskip("pandas")
        moment = pandas.Timestamp("2026-03-01T05:00:00Z")
        frame = pandas.DataFrame(
            {
                "text": ["x", None],
                "money": [Decimal("1.50"), None],
                "float": [0.1, float("nan")],
                "whole": [1, 2],
                "when": [moment, pandas.NaT],
                "nullable": pandas.array([3, None], dtype="Int64"),
                "short": pandas.array([0.1, None], dtype="Float32"),
                "shorter": pandas.Series([0.1, float("nan")], dtype="float32", index=[7, 9]),
            },
            index=[7, 9],
        )
        assert cells(from_records(frame)) == {
            "text": ["x", None],
            "money": [Decimal("1.50"), None],
            "float": [0.1, None],
            "whole": [1, 2],
            "when": [moment, None],
            "nullable": [3, None],
            "short": [0.1, None],
            "shorter": [0.1, None],
        }
        with pytest.raises(InputError, match="two columns 'text'"):
            from_records(pandas.concat([frame, frame[["text"]]], axis=1))
        with pytest.raises(InputError, match="Column 1 of the table has the name 0"):
            from_records(pandas.DataFrame([[1]]))

    def test_arrow(self):
        arrow = pytest.importorskip("pyarrow")
        table = arrow.table({"a": ["x", None], "money": [Decimal("1.50"), None]})
        assert cells(from_records(table)) == {"a": ["x", None], "money": [Decimal("1.50"), None]}
        assert from_records(table.to_reader()).count == 2
        wide = arrow.table({"a": arrow.array([Decimal(1)], arrow.decimal256(60, 2))})
        with pytest.raises(InputError, match="can't be read as a table"):
            from_records(wide)

    @pytest.mark.skipif(not hasattr(pl, "BaseExtension"), reason="this polars refuses Arrow's extensions with an error")
    @pytest.mark.filterwarnings("ignore:Extension type")
    def test_arrow_extensions_are_what_they_store(self, tmp_path):
        """BigQuery's tables have them; polars 2 makes a type of its own of each."""
        arrow = pytest.importorskip("pyarrow")
        mark = {b"ARROW:extension:name": b"google:sqlType:numeric"}
        table = arrow.table(
            {"a": ["x", ""], "money": [Decimal("1.50"), None], "short": arrow.array([0.1, None], arrow.float32())}
        )
        table = table.cast(arrow.schema([field.with_metadata(mark) for field in table.schema]))
        pytest.importorskip("pyarrow.parquet").write_table(table, tmp_path / "bill.parquet")
        plain = {"a": pl.String, "money": pl.Decimal, "short": pl.Float32}
        for rows in from_records(table), from_records(Stream(table)), from_files(str(tmp_path / "bill.parquet")):
            assert {name: values.dtype.base_type() for name, values in rows.columns.items()} == plain
            assert cells(rows)["money"] == [Decimal("1.50"), None]

    def test_what_an_arrow_stream_reads_from_breaks_off(self):
        arrow = pytest.importorskip("pyarrow")

        def batches():
            yield arrow.record_batch({"a": [1]})
            raise ConnectionError("the warehouse is down")

        def reader():
            return arrow.RecordBatchReader.from_batches(arrow.schema({"a": arrow.int64()}), batches())

        with pytest.raises(ConnectionError, match="the warehouse is down"):
            from_records(reader())
        with pytest.raises(BaseException, match="the warehouse is down") as error:
            from_records(Stream(reader()))
        assert not isinstance(error.value, CloudZeroError)
        assert from_records(Stream(arrow.table({"a": [1, 2]}))).count == 2

    def test_a_column_without_a_name(self):
        with pytest.raises(InputError, match="Column 2 of the table has the name ''"):
            from_records(pl.DataFrame({"a": [1], "": [2]}))


class TestQueries:
    def queried(self, sql):
        with sqlite3.connect(":memory:") as connection:
            return from_cursor(connection.execute(sql))

    def test_rows_are_read_in_batches(self):
        rows = self.queried(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 45000) "
            "SELECT i AS \"a/b\", 'x' || i AS text, NULL AS none FROM n"
        )
        assert list(rows.columns["a/b"]) == list(range(1, 45_001))
        assert rows.columns["text"][44_999] == "x45000"
        assert set(rows.columns["none"]) == {None}
        assert (rows.where(44_999), rows.is_table) == ("row 45,000 of the query", True)

    def test_no_rows(self):
        rows = self.queried("SELECT 1 AS a WHERE 0")
        assert (rows.count, list(rows.columns)) == (0, ["a"])

    def test_a_statement_that_is_not_a_query(self):
        assert self.queried("CREATE TABLE t (a)") is None

    def test_columns_that_have_one_name(self):
        with pytest.raises(InputError, match=r"two columns 'a': give each its own name \(AS"):
            self.queried("SELECT 1 AS a, 2 AS a")
