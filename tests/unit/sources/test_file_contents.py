"""Files whose content is not what their name says, or which people write in another way than the name suggests."""

from __future__ import annotations

import bz2
import gzip
import io
import logging
import lzma
import zipfile
from decimal import Decimal

import polars as pl
import pytest

from cloudzero_provider.exceptions import InputError
from cloudzero_provider.sources import from_files

CSV = b"a,b\n1,2\n"
LINES = b'{"a":1,"b":"x"}\n{"a":2.50}\n'
TWO = {"a": [1, Decimal("2.50")], "b": ["x", None]}


def parquet():
    file = io.BytesIO()
    pl.DataFrame({"a": ["1"]}).write_parquet(file)
    return file.getvalue()


def zipped():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("bill.csv", CSV)
    return file.getvalue()


def written(folder, name, content):
    (folder / name).write_bytes(content)
    return str(folder / name)


def cells(rows):
    return {name: list(values) for name, values in rows.columns.items()}


def error_of(path):
    with pytest.raises(InputError) as error:
        from_files(path)
    return str(error.value).replace(path, path.rpartition("/")[2])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("plain.csv.gz", CSV),
        ("zipped.csv", gzip.compress(CSV)),
        ("members.csv.gz", gzip.compress(b"a,b\n") + gzip.compress(b"1,2\n") + bytes(8)),
        ("not-plain.csv", gzip.compress(b'a,b\n"1",2\n\n')),
    ],
    ids=["plain", "zipped", "members", "not plain"],
)
def test_the_content_decides_whether_a_file_is_gzipped(tmp_path, name, content):
    assert cells(from_files(written(tmp_path, name, content))) == {"a": ["1"], "b": ["2"]}


@pytest.mark.parametrize(
    ("name", "content"), [("1.json.gz", LINES), ("2.jsonl", gzip.compress(LINES))], ids=["plain", "zipped"]
)
def test_so_it_does_for_json(tmp_path, name, content):
    assert cells(from_files(written(tmp_path, name, content))) == TWO


def test_the_log_says_that_name_and_content_disagree(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    from_files(written(tmp_path, "1.csv.gz", CSV))
    from_files(written(tmp_path, "2.csv", gzip.compress(CSV)))
    from_files([written(tmp_path, "3.csv", CSV), written(tmp_path, "4.csv.gz", gzip.compress(b"a\n"))])
    assert [message.replace(str(tmp_path), "") for message in caplog.messages] == [
        "/1.csv.gz: its name ends in .csv.gz, but its content is not gzipped; it is read as it is",
        "/2.csv: its name ends in .csv, but its content is gzipped; it is decompressed",
    ]


UTF_16 = 'UTF-16 text: save it as UTF-8 (in Excel: "CSV UTF-8")'
UNPACK = "unpack it, or compress it with gzip"
DISAGREE = {
    "Parquet named CSV": (".csv", parquet(), "a Parquet file: name it *.parquet"),
    "Parquet named JSON": (".json", parquet(), "a Parquet file: name it *.parquet"),
    "Parquet in gzip": (".csv.gz", gzip.compress(parquet()), "a Parquet file: name it *.parquet"),
    "JSON named CSV": (".csv", b'\xef\xbb\xbf\n[ {"a": 1}]', "JSON: name it *.json"),
    "JSON lines named CSV": (".csv.gz", gzip.compress(LINES), "JSON: name it *.json"),
    "gzip twice": (".csv.gz", gzip.compress(gzip.compress(CSV)), "gzipped twice: unzip it once"),
    "ZIP": (
        ".csv",
        zipped(),
        "a ZIP archive or an Excel workbook: unzip it, or save the sheet as CSV",
    ),
    "bzip2": (".csv", bz2.compress(CSV), f"compressed with bzip2: {UNPACK}"),
    "xz": (".csv.gz", lzma.compress(CSV), f"compressed with xz: {UNPACK}"),
    "UTF-16": (".csv", "a,b\n1,2\n".encode("utf-16"), UTF_16),
    "UTF-16 big-endian": (".jsonl", b"\xfe\xff" + '{"a": 1}'.encode("utf-16-be"), UTF_16),
    "UTF-16 without a mark": (".csv", "a,b\n1,2\n".encode("utf-16-le"), UTF_16),
    "UTF-16 big-endian without a mark": (".csv", "a,b\n1,2\n".encode("utf-16-be"), UTF_16),
    "UTF-32": (".csv", "a,b\n1,2\n".encode("utf-32"), "UTF-32 text: save it as UTF-8"),
    "a web page": (".csv", b"<!DOCTYPE html><html>", "a web page or XML: open it to see the error in it"),
    "CSV named Parquet": (".parquet", CSV, None),
    "JSON named Parquet": (".parquet", LINES, "JSON: name it *.json"),
    "gzip named Parquet": (".parquet", gzip.compress(parquet()), "gzipped: unzip it; Parquet is compressed inside"),
    "ZIP named Parquet": (
        ".parquet",
        zipped(),
        "a ZIP archive or an Excel workbook: unzip it, or save the sheet as CSV",
    ),
    "nothing named Parquet": (".parquet", b"", "empty: was it written completely?"),
}


@pytest.mark.parametrize(("ending", "content", "words"), DISAGREE.values(), ids=DISAGREE)
def test_name_and_content_disagree(tmp_path, ending, content, words):
    found = error_of(written(tmp_path, f"bill{ending}", content))
    if words is None:
        assert found.startswith("bill.parquet: not a readable Parquet file (")
    else:
        assert found == f"bill{ending}: its name ends in {ending}, but its content is {words}."


@pytest.mark.parametrize("header", ["PAR1", "PK", "BZh9", "Obj", "ORC", "ARROW1", "<tag>", "{a"])
def test_a_header_that_only_looks_like_another_kind_of_file(tmp_path, header):
    assert cells(from_files(written(tmp_path, "bill.csv", f"{header},b\n1,2\n".encode()))) == {
        header: ["1"],
        "b": ["2"],
    }


@pytest.mark.parametrize("ending", [".json", ".json.gz", ".jsonl", ".ndjson"])
@pytest.mark.parametrize(
    "content",
    [
        LINES,
        b"\xef\xbb\xbf" + LINES,
        LINES.replace(b"\n", b"\r\n") + b"\r\n \r\n",
        b"\n\n" + LINES.rstrip(),
        b'{"a":1,"b":"x"}{"a":2.50}',
        b'{\n  "a": 1,\n  "b": "x"\n}\n{\n  "a": 2.50\n}\n',
        b'[{"a":1,"b":"x"},{"a":2.50}]',
    ],
    ids=["lines", "byte order mark", "blank lines behind", "blank lines before", "no lines", "pretty", "array"],
)
def test_json_is_read_by_its_content_under_any_name(tmp_path, ending, content):
    content = gzip.compress(content) if ending.endswith(".gz") else content
    assert cells(from_files(written(tmp_path, f"part{ending}", content))) == TWO


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"\n" + LINES, [2, 3]),
        (b'\n\n{\n"a": 1}\n\n{"a":\n2}{"a": 3}', [3, 6, 7]),
        (b'\n[\n{"a": 1},\n{"a": 2}]', [3, 4]),
    ],
)
def test_rows_of_json_know_their_lines(tmp_path, content, lines):
    rows = from_files(written(tmp_path, "part.json", content))
    assert [rows.where(index).rpartition(" ")[2] for index in range(rows.count)] == list(map(str, lines))


@pytest.mark.parametrize(
    "content",
    [
        b'{"a": 1}',
        b'{\n"a": 1\n}\n',
        b'{"a": 1, "ids": [1, 2], "tags": [{"Key": "team", "Value": "web"}, {"Key": "env", "Value": "x"}]}',
        b'[{"rows": [{"a": 1}]}]',
        b'{"rows": [{"a": 1}]}\n{"rows": [{"a": 2}]}',
    ],
    ids=["one line", "pretty", "with tags", "in an array", "two with lists"],
)
def test_an_object_is_a_row(tmp_path, content):
    assert from_files(written(tmp_path, "part.json", content)).count == (2 if b"2}]" in content else 1)


WRAPPERS = [
    b'{"data": [{"a": 1}, {"a": 2}], "next": null}',
    b'{\n  "count": 1,\n  "data": [\n    {"a": 1}\n  ]\n}',
    b'{"data": [["a"], [1]]}',
]


@pytest.mark.parametrize("content", WRAPPERS)
def test_an_object_around_the_rows_is_not_a_row(tmp_path, content):
    assert error_of(written(tmp_path, "part.json", content)) == (
        "part.json, line 1: the file is one object, and its 'data' is a list. If that list holds the rows, write only the list; "
        "if the object is a row, name the file .jsonl."
    )
    assert from_files(written(tmp_path, "part.jsonl", content)).count == 1


def test_an_empty_file_of_json_lines_has_no_rows(tmp_path):
    assert from_files(written(tmp_path, "part.jsonl", b"")).count == 0
    assert from_files(written(tmp_path, "part.ndjson.gz", gzip.compress(b"\n"))).count == 0
