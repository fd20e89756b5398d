"""CSV files whose cells are separated by something else than a comma."""

from __future__ import annotations

import gzip
import logging

import pytest

from cloudzero_provider.exceptions import InputError
from cloudzero_provider.sources import from_files


def written(folder, text, name="bill.csv"):
    content = text.encode()
    (folder / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return str(folder / name)


def read(folder, text, name="bill.csv"):
    rows = from_files(written(folder, text, name))
    return {column: list(values) for column, values in rows.columns.items()}


def error_of(folder, text):
    with pytest.raises(InputError) as error:
        from_files(written(folder, text))
    return str(error.value).replace(f"{folder}/", "")


@pytest.mark.parametrize("name", ["bill.csv", "bill.csv.gz"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("quoted", [False, True])
def test_the_header_determines_the_separator(tmp_path, separator, quoted, name):
    rows = [["a", "b", "c"], ["2024-09-01", "1.5", ""], ["x" if separator == "," else "1,5", "y", "z"]]
    # A blank line is no row, and leaves the file to Python's reader.
    lines = [separator.join(f'"{cell}"' if quoted else cell for cell in row) for row in rows] + [""] * quoted
    assert read(tmp_path, "\r\n".join(lines) + "\r\n", name) == {
        name: [cell or None for cell in column] for name, *column in zip(*rows, strict=True)
    }


def test_the_log_names_the_separator(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    read(tmp_path, "a,b;c\n1,2\n", "1.csv")
    read(tmp_path, "a\n1\n", "2.csv")
    assert caplog.messages == []
    read(tmp_path, "a;b\n1;2\n", "3.csv")
    assert caplog.messages == [f"{tmp_path}/3.csv: cells are separated by ';'; numbers must have a decimal point"]


def test_separators_inside_quotes_separate_nothing(tmp_path):
    assert read(tmp_path, 'a;"b,c"\n"1;5";"2,5"\n') == {"a": ["1;5"], "b,c": ["2,5"]}
    assert read(tmp_path, '"a;b"\n1\n') == {"a;b": ["1"]}
    assert read(tmp_path, '"a;b",c\n1,2\n') == {"a;b": ["1"], "c": ["2"]}


@pytest.mark.parametrize("text", ["a\n1\n2\n", "a\n1;5\n2|3\n", "\n\na b\n1\n"])
def test_a_single_column_is_one(tmp_path, text):
    assert list(map(len, read(tmp_path, text).values())) == [text.strip().count("\n")]


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;", "\ufeffsep=;"])
def test_excels_separator_line_is_not_the_header(tmp_path, first):
    path = written(tmp_path, f"{first}\r\na|b;c\r\n1,5;2\r\n")
    rows = from_files(path)
    assert {name: list(values) for name, values in rows.columns.items()} == {"a|b": ["1,5"], "c": ["2"]}
    assert rows.where(0) == f"{path}, line 3"
    assert read(tmp_path, "sep=,\na;b\n1;2\n") == {"a;b": ["1;2"]}
    assert read(tmp_path, '"sep=;"\na\n1\n') == {"a": ["1"]}


BAD = {
    "a line that does not agree": (
        "a;b\n1;2\n3,4\n",
        (
            "1 problem in the rows; nothing was sent.\n  bill.csv, line 3: 1 cells, but the header has 2 (separated by ';', "
            "as in the header)"
        ),
    ),
    "a header that may be separated by two": (
        "a;b|c\n1;2\n",
        (
            "bill.csv: the header has no comma and may be separated by ';' or '|'. Write the file with commas, or with "
            "sep=; as its first line."
        ),
    ),
    "another separator in a line of Excel": (
        "sep=:\na:b\n",
        "bill.csv: the first line names the separator ':': expected one of ',', ';', '\\t', '|'.",
    ),
    "nothing behind a line of Excel": (
        "sep=;\n",
        "bill.csv: the file is empty: expected a header line with the column names.",
    ),
    "a separator behind the header": ("a;b;\n1;2;\n", "bill.csv, line 1: column 3 has no name."),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD)
def test_a_file_that_leaves_a_doubt(tmp_path, text, message):
    assert error_of(tmp_path, text) == message
