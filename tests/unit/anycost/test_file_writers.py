"""Rows to a file: whole or not at all, in the format that its name says."""

from __future__ import annotations

import gzip
import os

import polars as pl
import pytest

from cloudzero_provider.anycost.file_writers import write_rows, writer_for
from cloudzero_provider.exceptions import ConfigurationError

FRAME = pl.DataFrame({"a": ["1", None], "b": ['x,"y"', "ü"]})
#: More rows than are written at a time.
LONG = pl.DataFrame({"n": [str(n) for n in range(20_001)]})
CSV = 'a,b\n1,"x,""y"""\n,ü\n'


def contents(path):
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode()


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.csv", CSV), ("a.csv.gz", CSV), ("a.jsonl", '{"a":"1","b":"x,\\"y\\""}\n{"b":"ü"}\n')],
)
def test_text_files_hold_every_row_once(tmp_path, name, text):
    path = tmp_path / "new" / "folders" / name
    write_rows(FRAME, str(path))
    assert contents(path) == text
    write_rows(LONG, str(path))
    lines = contents(path).splitlines()
    if name.endswith("jsonl"):
        assert lines == [f'{{"n":"{n}"}}' for n in range(20_001)]
    else:
        assert lines == ["n", *map(str, range(20_001))]
    assert os.listdir(path.parent) == [name]


def test_parquet_holds_every_row_once(tmp_path):
    write_rows(FRAME, str(tmp_path / "a.parquet"))
    assert pl.read_parquet(tmp_path / "a.parquet").equals(FRAME)


def test_a_file_in_the_folder_one_is_in(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_rows(FRAME, "a.csv")
    assert contents(tmp_path / "a.csv") == CSV


@pytest.mark.parametrize("mask", [0o022, 0o027, 0o077])
def test_file_permissions_follow_the_umask(tmp_path, mask):
    before = os.umask(mask)
    try:
        write_rows(FRAME, str(tmp_path / "a.csv"))
        assert os.umask(mask) == mask
    finally:
        os.umask(before)
    assert (tmp_path / "a.csv").stat().st_mode & 0o777 == 0o666 & ~mask


def test_what_can_not_be_written_leaves_nothing_behind(tmp_path):
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(IsADirectoryError):
        write_rows(FRAME, str(tmp_path / "a.csv"))
    assert os.listdir(tmp_path) == ["a.csv"]


def test_a_file_that_cannot_be_replaced_is_unchanged(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("before")
    with pytest.raises(pl.exceptions.ComputeError):
        write_rows(pl.DataFrame({"a": [["a list is no text"]]}), str(path))
    assert path.read_text() == "before"
    assert os.listdir(tmp_path) == ["a.csv"]


def test_an_unfinished_file_is_hidden_and_beside_the_one_it_becomes(tmp_path):
    class Frame:
        def write_csv(self, file):
            self.seen = os.listdir(tmp_path)
            file.write(b"done")

    frame = Frame()
    write_rows(frame, str(tmp_path / "a.csv"))
    (unfinished,) = frame.seen
    assert unfinished.startswith(".cloudzero-")
    assert contents(tmp_path / "a.csv") == "done"


@pytest.mark.parametrize("path", ["rows.txt", "rows", "csv"])
def test_another_ending_is_refused_and_the_four_are_named(path):
    with pytest.raises(ConfigurationError) as error:
        writer_for(path)
    assert str(error.value) == f"path is {path!r}: expected a file that ends in .csv, .csv.gz, .jsonl, .parquet."
