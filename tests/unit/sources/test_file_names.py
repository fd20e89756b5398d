"""What ``files`` may be: lists in lists, as mapped tasks return them, and the text that a template makes of a list."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

import pytest

from cloudzero_provider.exceptions import InputError
from cloudzero_provider.sources import from_files


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Two files, a.csv and b.csv, in the working directory."""
    monkeypatch.chdir(tmp_path)
    for name in "ab":
        Path(f"{name}.csv").write_text(f"name\n{name}\n")
    Path("it's, a [list].csv").write_text("name\nc\n")


def names(files):
    return list(from_files(files).columns["name"])


class Lazy:
    """Like what Airflow makes of a mapped task: a sequence that is no list, and can be gone through."""

    def __init__(self, *items):
        self.items = items

    def __iter__(self):
        return iter(self.items)


@pytest.mark.parametrize(
    "files",
    [
        ["a.csv", "b.csv"],
        ("a.csv", Path("b.csv")),
        [["a.csv"], ["b.csv"]],
        [["a.csv", "b.csv"], []],
        ["a.csv", ["b.csv"]],
        [("a.csv",), (("b.csv",),)],
        Lazy(["a.csv"], [PurePosixPath("b.csv")]),
        Lazy(Lazy("a.csv"), Lazy(), "b.csv"),
        (name for name in ("a.csv", "b.csv")),
        [["?.csv"]],
        ["['a.csv']", '["b.csv"]'],
        "['a.csv', 'b.csv']",
        " ('a.csv', 'b.csv')\n",
        "[['a.csv'], ['b.csv']]",
        '["a.csv", "b.csv"]',
        "[ab].csv",
        "[ab].cs[v]",
    ],
)
def test_lists_are_strung_together(files):
    assert names(files) == ["a", "b"]


@pytest.mark.parametrize("write", [repr, str, json.dumps])
def test_names_survive_the_text_of_a_list(write):
    assert names(write(["it's, a [list].csv"])) == ["c"]


HINT = (
    " If a template rendered it, pass the task's output itself (files=task.output, or the value a @task function "
    "returned), or set render_template_as_native_obj=True in the DAG."
)
ENDINGS = ".csv, .csv.gz, .json, .json.gz, .jsonl, .jsonl.gz, .ndjson, .ndjson.gz, .parquet"
BAD = {
    "list of objects": (
        "[PosixPath('a.csv')]",
        f"[PosixPath('a.csv')]: no file matches.{HINT}",
    ),
    "lazy sequence": (
        "LazyXComSelectSequence([2 items])",
        f"LazyXComSelectSequence([2 items]): no file matches.{HINT}",
    ),
    "None as text": ("None", f"None: expected a file that ends in {ENDINGS}.{HINT}"),
    "an object as text": ("<generator at 0x1>", f"<generator at 0x1>: expected a file that ends in {ENDINGS}.{HINT}"),
    "a dict as text": ("{'a': 'b.csv'}", f"{{'a': 'b.csv'}}: expected a file that ends in {ENDINGS}.{HINT}"),
    "another kind of file": ("bill.xlsx", f"bill.xlsx: expected a file that ends in {ENDINGS}."),
    "an empty list as text": ("[]", "files is an empty list: name at least one file."),
    "numbers as text": ("[1]", "files[0] is a int, not a path."),
    "a number in a list": ([["a.csv"], [2]], "files[1][0] is a int, not a path."),
    "None in a list": (["a.csv", None], "files[1] is a NoneType, not a path."),
    "a dict": ({"a.csv": 1}, "files is a dict: expected a path, or a list of paths."),
    "a dict in a list": ([{"path": "a.csv"}], "files[0] is a dict, not a path."),
    "an empty text in a list": ([["a.csv", ""]], "files[0][1] is an empty string, not a path."),
    "an empty text": ("", "files[0] is an empty string, not a path."),
    "empty lists": ([[], ()], "files is an empty list: name at least one file."),
    "one file in two lists": ([["a.csv"], ["a.csv"]], "a.csv is the same file as a.csv: its rows would count twice."),
    "one file by two patterns": (["a*", "*.csv"], "a.csv is the same file as a.csv: its rows would count twice."),
}


@pytest.mark.parametrize(("files", "message"), BAD.values(), ids=BAD)
def test_what_names_no_files(files, message):
    with pytest.raises(InputError) as error:
        from_files(files)
    assert str(error.value) == message


def test_a_list_that_holds_itself():
    files = []
    files.append(files)
    with pytest.raises(InputError, match="lists nested more than 10 deep"):
        from_files(files)
    with pytest.raises(InputError, match="no file matches"):
        from_files("[" * 100_000 + "]" * 100_000)
