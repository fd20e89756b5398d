"""The list of problems: a problem on each line, read back as it was found, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json

import pytest

from cloudzero_provider.exceptions import ConfigurationError, Problem
from cloudzero_provider.values.problem_files import FIELDS, ending_of_list, is_list, write_list

PLAIN = Problem("a.csv, line 3", "cost/cost", "'$1'", "not a decimal number")
BARE = Problem("a.csv, line 4", None, None, "1 cell, but the header has 2")
ODD = Problem('ü "x", line\n5', "a,b\r\nc\x00\u2028", "'a\\nb'", "one\ttwo\ud800")
#: More than are written at a time.
MANY = [Problem(f"row {number:,}", "cost/cost", repr(str(number)), "not a decimal number") for number in range(20_001)]


def written(problems, ending):
    file = io.BytesIO()
    write_list(iter(problems), file, ending)
    return file.getvalue()


def cells(problems):
    lines = list(csv.reader(io.StringIO(written(problems, ".csv").decode(), newline="")))
    assert lines[0] == list(FIELDS)
    return lines[1:]


class TestCsv:
    def test_each_problem_is_a_line(self):
        text = written([PLAIN, BARE], ".csv").decode()
        assert text.splitlines() == [
            "where,column,value,rule",
            "\"a.csv, line 3\",cost/cost,'$1',not a decimal number",
            '"a.csv, line 4",,,"1 cell, but the header has 2"',
        ]

    def test_line_breaks_and_control_characters_are_escaped(self):
        assert len(written([ODD, PLAIN], ".csv").splitlines()) == 3
        assert cells([ODD])[0] == ['ü "x", line\\n5', "a,b\\r\\nc\\x00\\u2028", "'a\\nb'", "one\\ttwo\\ud800"]

    @pytest.mark.parametrize("text", ["=1+1", "+cmd", "-2+3", "@SUM(A1)", " =1", "\uff1d1", "-", "=HYPERLINK(B1)"])
    def test_no_cell_is_a_formula(self, text):
        for field in range(4):
            problem = Problem(*(text if number == field else "x" for number in range(4)))
            assert cells([problem])[0][field] == f"'{text}"

    @pytest.mark.parametrize("text", ["-1", "+2.50", "-1e-9", "1-1", "a=b", "'=1+1'"])
    def test_other_cells_stay_as_they_are(self, text):
        assert cells([Problem("x", "x", text, "x")])[0][2] == text

    def test_a_tab_before_a_formula_is_escaped_first(self):
        assert cells([Problem("x", "\t=1", "x", "x")])[0][1] == "\\t=1"

    def test_of_many_none_is_lost(self):
        assert cells(MANY) == [[problem.where, problem.column, problem.value, problem.rule] for problem in MANY]


@pytest.mark.parametrize("ending", [".jsonl", ".ndjson"])
class TestJsonLines:
    def test_each_problem_is_an_object_of_its_own_line(self, ending):
        lines = written([PLAIN, BARE, ODD], ending).split(b"\n")
        assert lines.pop() == b""
        assert [json.loads(line) for line in lines] == [
            {"where": one.where, "column": one.column, "value": one.value, "rule": one.rule}
            for one in (PLAIN, BARE, ODD)
        ]
        assert "ü" in lines[2].decode()

    def test_of_many_none_is_lost(self, ending):
        found = [json.loads(line) for line in written(MANY, ending).splitlines()]
        assert [one["where"] for one in found] == [problem.where for problem in MANY]


class TestEnding:
    @pytest.mark.parametrize("name", ["a.csv", "/b/c.JSONL", "s3://me@bucket/x.ndjson"])
    def test_says_how_problems_are_written(self, name):
        assert ending_of_list(name, "problems_file") in (".csv", ".jsonl", ".ndjson")

    @pytest.mark.parametrize("name", ["", "None", "a.txt", "a.json", "a.csv.gz", "a.parquet", "csv"])
    def test_another_is_an_error(self, name):
        with pytest.raises(ConfigurationError) as error:
            ending_of_list(name, "problems_file")
        assert str(error.value) == f"problems_file is {name!r}: expected a file that ends in .csv, .jsonl, .ndjson."


class TestIsList:
    @pytest.mark.parametrize("ending", [".csv", ".jsonl", ".ndjson"])
    @pytest.mark.parametrize("problems", [[PLAIN], [BARE], [ODD], MANY], ids=["plain", "bare", "odd", "many"])
    def test_what_was_written_is_one(self, ending, problems):
        assert is_list(written(problems, ending)[:65_536], ending)

    @pytest.mark.parametrize(
        ("head", "ending"),
        [
            (b"time/usage_start,cost/cost\n2026-03-01,1\n", ".csv"),
            (b"where,column,value,rule,more\n", ".csv"),
            (b"where,column,value\n", ".csv"),
            (b'{"where": "a"}\n', ".jsonl"),
            (b'{"cost/cost": "1"}\n', ".jsonl"),
            (b'["where", "column", "value", "rule"]\n', ".jsonl"),
            (b'"where"\n', ".jsonl"),
            (b"\x1f\x8b\x08\x00", ".jsonl"),
            (b"[" * 60_000, ".jsonl"),
            (b'{"where": "a", "column": "b', ".jsonl"),
            (b"where,column,value,rule\n", ".jsonl"),
        ],
    )
    def test_another_file_is_none(self, head, ending):
        assert not is_list(head, ending)
