"""Files that can't be read, with the error that a person sees."""

from __future__ import annotations

import gzip
import io
import os

import polars as pl
import pytest

from cloudzero_provider.exceptions import ConfigurationError, InputError
from cloudzero_provider.sources import from_files

ENDINGS = (".csv", ".csv.gz", ".json", ".json.gz", ".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz", ".parquet")
CUT_SHORT = "Compressed file ended before the end-of-stream marker was reached"
CSV = b"a,b\n1,2\n"
PARQUET = io.BytesIO()
pl.DataFrame({"a": ["1"]}).write_parquet(PARQUET)


def error_of(folder, files, kind=InputError):
    """The message, with the folder taken out of it."""
    with pytest.raises(kind) as error:
        from_files(files)
    return str(error.value).replace(f"{folder}{os.sep}", "")


BAD = {
    "empty CSV": ("bill.csv", b"", "bill.csv: the file is empty: expected a header line with the column names."),
    "short line": (
        "bill.csv",
        CSV + b"3\n",
        "1 problem in the rows; nothing was sent.\n  bill.csv, line 3: 1 cells, but the header has 2",
    ),
    "long line": (
        "bill.csv",
        b'a,b\n"1\n1",2\n1,2,3\n',
        "1 problem in the rows; nothing was sent.\n  bill.csv, line 4: 3 cells, but the header has 2",
    ),
    "header twice": ("bill.csv", b"a,b,a\n1,2,3\n", "bill.csv, line 1: the header contains 'a' more than once."),
    "column without a name": ("bill.csv", b"a,,c\n1,2,3\n", "bill.csv, line 1: column 2 has no name."),
    "quote that does not end": ("bill.csv", CSV + b'3,"4\n', "bill.csv, after line 3: unexpected end of data."),
    "text behind a quote": ("bill.csv", CSV + b'3,"4"5\n', "bill.csv, after line 3: ',' expected after '\"'."),
    "Latin 1": (
        "bill.csv",
        CSV * 2 + "Müller,4\n".encode("latin-1"),
        "bill.csv, line 5: not valid UTF-8. Save the file as UTF-8.",
    ),
    "Latin 1 far down": (
        "bill.csv",
        CSV * 10_000 + "Müller,4\n".encode("latin-1"),
        "bill.csv, line 20,001: not valid UTF-8. Save the file as UTF-8.",
    ),
    "no gzip and no text": (
        "bill.csv.gz",
        b"\xf3\xa1\x00\x9c",
        "bill.csv.gz: its name ends in .gz, but its content is neither gzipped nor UTF-8 text.",
    ),
    "gzip of 0 bytes": (
        "bill.jsonl.gz",
        b"",
        "bill.jsonl.gz: the file has 0 bytes, which is not a valid gzip file. Was it written completely?",
    ),
    "garbage behind gzip": (
        "bill.csv.gz",
        gzip.compress(CSV) + b"garbage",
        "bill.csv.gz, after line 2: not a valid gzip file (Not a gzipped file (b'ga')).",
    ),
    "gzip cut short": (
        "bill.csv.gz",
        gzip.compress(CSV)[:-8],
        f"bill.csv.gz, after line 2: not a valid gzip file ({CUT_SHORT}).",
    ),
    "Latin 1 in gzip": (
        "bill.csv.gz",
        gzip.compress(CSV + "Müller,4\n".encode("latin-1")),
        "bill.csv.gz, line 3: not valid UTF-8. Save the file as UTF-8.",
    ),
    "Latin 1 where gzip is cut short": (
        "bill.csv.gz",
        gzip.compress(CSV + "3,Müller".encode("latin-1"))[:-8],
        f"bill.csv.gz, after line 0: not a valid gzip file ({CUT_SHORT}).",
    ),
    "JSON cut short": (
        "bill.json",
        b'[\n{"a": 1},\n{"a": 2',
        "bill.json, line 3: not valid JSON (Expecting ',' delimiter).",
    ),
    "JSON array cut short": (
        "bill.json",
        b'[\n{"a": 1}\n',
        "bill.json, line 3: the array is incomplete: expected , or ].",
    ),
    "JSON with a comma at its end": (
        "bill.json",
        b'[\n{"a": 1},\n]',
        "bill.json, line 2: expected an object after the comma.",
    ),
    "JSON with more behind it": ("bill.json", b'[{"a": 1}] 2', "bill.json, line 1: unexpected text after the array."),
    "JSON that is an object around rows": (
        "bill.json",
        b'{"data": []}',
        (
            "bill.json, line 1: the file is one object, and its 'data' is a list. If that list holds the rows, write only the list; "
            "if the object is a row, name the file .jsonl."
        ),
    ),
    "JSON of numbers": ("bill.json", b"[\n1]", "bill.json, line 2: expected a JSON object, not int."),
    "empty JSON": (
        "bill.json",
        b" \n",
        "bill.json, line 1: the file is empty: expected an array of objects ([…]) or one object per line.",
    ),
    "CSV named JSON": (
        "bill.json",
        CSV,
        "bill.json, line 1: expected an array of objects ([…]) or one object per line.",
    ),
    "objects with commas between them": (
        "bill.json",
        b'{"a": 1},\n{"a": 2}\n',
        "bill.json, line 1: expected an array of objects ([…]) or one object per line.",
    ),
    "JSON lines that go on with something else": (
        "bill.json",
        b'\n{"a": 1}\n\n2\n',
        "bill.json, line 4: expected a JSON object, not int.",
    ),
    "pretty JSON cut short": (
        "bill.json",
        b'{\n"a": 1\n}\n{\n"a": 2\n',
        "bill.json, line 6: not valid JSON (Expecting ',' delimiter).",
    ),
    "JSON line cut short": (
        "bill.jsonl",
        b'{"a": 1}\n{"a": \n',
        "bill.jsonl, line 2: not valid JSON (Expecting value).",
    ),
    "JSON lines with arrays": (
        "bill.ndjson",
        b'[{"a": 1}]\n[{"a": 2}]\n',
        "bill.ndjson, line 1: unexpected text after the array.",
    ),
    "two objects in a JSON line": (
        "bill.jsonl",
        b'{"a": 1}\n{"a": 2} {"a": 3}\n',
        "bill.jsonl, line 2: more than one JSON object; write an array of objects in brackets ([…]).",
    ),
    "a name twice": (
        "bill.jsonl",
        b'{"a": 1}\n\n{"a": 2, "a": 3}\n',
        "bill.jsonl, line 3: duplicate key in an object.",
    ),
    "NaN": ("bill.jsonl", b'{"a": NaN}\n', "bill.jsonl, line 1: NaN is not valid JSON."),
    "a number out of all bounds": (
        "bill.jsonl",
        b'{"a": 1e99999999999999999999}\n',
        "bill.jsonl, line 1: a number that is too large or too small.",
    ),
    "JSON nested too deeply": (
        "bill.jsonl",
        b'{"a": ' + b"[" * 100_000 + b"\n",
        "bill.jsonl, line 1: nested too deeply.",
    ),
    "an empty name": ("bill.jsonl", b'{"": 1}\n', "bill.jsonl, line 1: names are non-empty Unicode text."),
    "no Parquet": (
        "bill.parquet",
        CSV,
        "bill.parquet: not a readable Parquet file (",
    ),
    "Parquet cut short": (
        "bill.parquet",
        PARQUET.getvalue()[:-20] + PARQUET.getvalue()[-4:],
        "bill.parquet: not a readable Parquet file (",
    ),
    "another kind of file": (
        "bill.xlsx",
        b"PK",
        f"bill.xlsx: expected a file that ends in {', '.join(ENDINGS)}.",
    ),
}


@pytest.mark.parametrize(("name", "content", "message"), BAD.values(), ids=BAD)
def test_a_bad_file(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    found = error_of(tmp_path, str(tmp_path / name))
    assert found.startswith(message) if name.endswith(".parquet") else found == message


def test_a_missing_file(tmp_path):
    assert error_of(tmp_path, str(tmp_path / "bill.csv")) == (
        "bill.csv: there is no such file, so nothing was sent. If it has not been written yet, put a sensor for it "
        "before this task, or set retries."
    )


def test_a_folder(tmp_path):
    (tmp_path / "bill.csv").mkdir()
    assert error_of(tmp_path, str(tmp_path / "bill.csv")) == "bill.csv: the file can't be read (Is a directory)."


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no pipes")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "bill.csv")
    assert error_of(tmp_path, str(tmp_path / "bill.csv")) == (
        "bill.csv: the file can't be read (It is a pipe or a device, not a regular file)."
    )


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "bill").write_bytes(CSV)
    assert error_of(tmp_path, str(tmp_path / "bill" / "a.csv")) == (
        f"bill{os.sep}a.csv: the file can't be read (Not a directory)."
    )


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_an_outage_of_mounted_storage_is_not_an_error_of_the_file(tmp_path, ending):
    # A process may open so many files, and no more: such an error of the system comes and goes.
    resource = pytest.importorskip("resource")
    path = tmp_path / f"bill{ending}"
    path.write_bytes(PARQUET.getvalue() if ending == ".parquet" else CSV)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.open(path, os.O_RDONLY)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, limits[1]))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            from_files(str(path))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_a_pattern_that_fits_no_file(tmp_path):
    (tmp_path / "bill.json").touch()
    assert error_of(tmp_path, str(tmp_path / "*.csv")) == (
        "*.csv: no file matches, so nothing was sent. If it has not been written yet, put a sensor for it before this "
        "task, or set retries."
    )


def test_a_pattern_that_fits_a_folder(tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "1.csv").write_bytes(CSV)
    (tmp_path / "2.csv").mkdir()
    (tmp_path / "2.csv" / "part.csv").write_bytes(CSV)
    assert error_of(tmp_path, str(tmp_path / "*")) == ("2.csv is a folder: name the files in it, for example 2.csv/*.")
    (tmp_path / "2.csv" / "part.csv").write_bytes(b"a,b\n3,4\n")
    assert from_files([str(tmp_path / "*1*"), str(tmp_path / "*.csv" / "*")]).count == 2
    assert from_files(str(tmp_path / "**")).count == 2


def test_a_pattern_that_fits_another_kind_of_file(tmp_path):
    for name in ("a.csv", "b.txt"):
        (tmp_path / name).write_bytes(CSV)
    assert error_of(tmp_path, str(tmp_path / "*")).startswith("b.txt: expected a file that ends in .csv, ")


def test_a_bad_file_after_a_good_one_is_found_before_anything_is_used(tmp_path):
    (tmp_path / "1.csv").write_bytes(CSV)
    (tmp_path / "2.csv").write_bytes(b"a,b\n1\n")
    assert "2.csv, line 2: 1 cells" in error_of(tmp_path, str(tmp_path / "*.csv"))


def test_a_file_that_a_pattern_and_a_path_name(tmp_path):
    (tmp_path / "1.csv").write_bytes(CSV)
    found = error_of(tmp_path, [str(tmp_path / "1.csv"), str(tmp_path / "*.csv")])
    assert found == "1.csv is the same file as 1.csv: its rows would count twice."


def test_a_uri_without_airflow():
    with pytest.raises(ConfigurationError, match=r"s3://bucket/a\.csv: only files on this machine can be read here"):
        from_files("s3://bucket/a.csv")
