"""``problems_file``: all problems in a file, an error that names it, and no file of anybody else that is touched."""

from __future__ import annotations

import csv
import json
import logging
import os
import pickle
from pathlib import Path

import polars as pl
import pytest
from support.rows import MARCH, row
from support.telemetry_records import allocation

from cloudzero_provider import sources
from cloudzero_provider.airflow_support.errors import airflow_failures
from cloudzero_provider.anycost.aggregation import aggregate
from cloudzero_provider.anycost.checks import check_rows
from cloudzero_provider.anycost.focus import to_cbf
from cloudzero_provider.client.telemetry import StreamType, TelemetryOperation
from cloudzero_provider.exceptions import CloudZeroError, ConfigurationError, InputError, InvalidRowsError, Problem
from cloudzero_provider.telemetry.checks import RecordRules, check_records
from cloudzero_provider.telemetry.record_kinds import KINDS
from cloudzero_provider.transforms import dates, decimals, money
from cloudzero_provider.values.listed_problems import listing_problems

BAD = [row(cost__cost="x", lineitem__type=None if number % 2 else "Fees") for number in range(20)]
RULES = RecordRules(KINDS[StreamType.ALLOCATION], TelemetryOperation.REPLACE, "DAILY", MARCH)
LIST = b"where,column,value,rule\r\nrow 1,a,b,c\r\n"


class NoStore:
    """Storage that nobody may ask."""

    def __getattr__(self, name):
        raise AssertionError(f"{name} was called")


class Store:
    """Files in memory, as a storage has them. ``broken`` is what each call raises."""

    def __init__(self, broken=None, **files):
        self.files, self.broken = files, broken

    def _ask(self):
        if self.broken is not None:
            raise self.broken

    def head(self, uri, size):
        self._ask()
        return self.files[uri][:size] if uri in self.files else None

    def upload(self, file, uri):
        self._ask()
        self.files[uri] = file.read()

    def remove(self, uri):
        self._ask()
        del self.files[uri]


def failed(path, check, store=None):
    with pytest.raises(InvalidRowsError) as error, listing_problems(path, store or NoStore()):
        check()
    return error.value


def check_bad():
    check_rows(sources.from_records(BAD), MARCH)


def listed(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


class TestWritten:
    def test_every_problem_is_listed_in_the_order_of_the_rows(self, tmp_path):
        path = tmp_path / "new" / "folder" / "problems.csv"
        error = failed(str(path), check_bad)
        found = listed(path)
        assert (len(found), error.total, len(error.problems)) == (30, 30, 5)
        assert [line["where"] for line in found[:4]] == ["row 1", "row 1", "row 2", "row 3"]
        assert found[-1] == {
            "where": "row 20",
            "column": "cost/cost",
            "value": "'x'",
            "rule": "not a decimal number",
        }
        assert os.listdir(path.parent) == ["problems.csv"]

    def test_the_error_is_the_same_and_names_the_file(self, tmp_path):
        path = tmp_path / "problems.jsonl"
        with pytest.raises(InvalidRowsError) as plain:
            check_bad()
        error = failed(path, check_bad)
        assert str(error) == f"{plain.value}\n{path} lists every problem."
        assert error.problems == plain.value.problems
        assert (error.problems_file, plain.value.problems_file) == (str(path), None)
        with pytest.raises(CloudZeroError) as of_airflow, airflow_failures():
            raise error
        for copy in (of_airflow.value, pickle.loads(pickle.dumps(of_airflow.value))):
            assert (str(copy), copy.problems_file) == (str(error), str(path))

    def test_json_lines_have_the_same(self, tmp_path):
        for name in ("a.csv", "a.jsonl"):
            failed(tmp_path / name, check_bad)
        lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
        assert lines == listed(tmp_path / "a.csv")

    def test_other_errors_and_good_rows_write_none(self, tmp_path):
        path = tmp_path / "problems.csv"
        with listing_problems(path, NoStore()):
            check_rows(sources.from_records([row()]), MARCH)
        with pytest.raises(InputError, match=r"^no rows$"), listing_problems(path, NoStore()):
            raise InputError("no rows")
        assert os.listdir(tmp_path) == []

    def test_an_error_that_was_caught_inside_is_not_listed(self, tmp_path):
        def catch_and_fail():
            with pytest.raises(InvalidRowsError):
                check_bad()
            raise InvalidRowsError([Problem("a.csv, line 2", None, None, "1 cell")], 1)

        failed(tmp_path / "a.csv", catch_and_fail)
        assert [line["rule"] for line in listed(tmp_path / "a.csv")] == ["1 cell"]

    def test_200_000_bad_rows(self, tmp_path):
        frame = pl.DataFrame({"time/usage_start": ["2026-03-01"], "cost/cost": ["1,5"]})
        rows = sources.from_frame(pl.concat([frame] * 200_000))
        error = failed(tmp_path / "a.csv", lambda: check_rows(rows, MARCH))
        assert (error.total, len(error.problems)) == (200_000, 5)
        with (tmp_path / "a.csv").open(newline="") as file:
            assert sum(1 for _ in csv.reader(file)) == 200_001


def from_csv(text, tmp_path):
    path = tmp_path / "bill.csv"
    path.write_text(text)
    return sources.from_files(str(path))


def transformed(function, **columns):
    return lambda: sources.apply_transforms(sources.from_frame(pl.DataFrame(columns)), function)


TIMES = ["2026-03-01"] * 9
CHARGE = {
    "BilledCost": "1",
    "EffectiveCost": "1",
    "BillingCurrency": "EUR",
    "ChargeCategory": "Usage",
    "ChargePeriodStart": "2026-03-01T00:00:00Z",
    "ChargePeriodEnd": "2026-03-02T00:00:00Z",
    "BillingPeriodStart": "2026-03-01T00:00:00Z",
    "BillingPeriodEnd": "2026-04-01T00:00:00Z",
}
SEVEN = {
    "decimals": transformed(decimals("cost"), cost=["x"] * 7),
    "money": transformed(money("cost", decimal_point="."), cost=["x"] * 7),
    "dates": transformed(dates("day", "%Y-%m-%d"), day=["x"] * 7),
    "to_cbf": transformed(to_cbf, **{name: [value] * 7 for name, value in CHARGE.items()}),
    "aggregate": transformed(
        aggregate(by=["resource/service"]),
        **{"time/usage_start": TIMES[:7], "cost/cost": ["x"] * 7, "resource/service": ["a"] * 7},
    ),
    "records": lambda: sources.apply_transforms(
        sources.from_records([{"a": object()} for _ in range(7)]), lambda frame: frame
    ),
    "telemetry": lambda: check_records(sources.from_records([allocation(day, "a", "x") for day in range(1, 8)]), RULES),
    "negative": lambda: check_records(sources.from_records([allocation(day, "a", -1) for day in range(1, 8)]), RULES),
    "zero": lambda: check_records(sources.from_records([allocation(day, "a", 0) for day in range(1, 8)]), RULES),
    "duplicates": lambda: check_records(sources.from_records([allocation(1, "a", 1)] * 8), RULES),
    "another month": lambda: check_records(
        sources.from_records([{**allocation(1, "a", 1), "timestamp": "2026-04-01"}] * 7), RULES
    ),
}


class TestPlaces:
    @pytest.mark.parametrize("check", SEVEN.values(), ids=SEVEN)
    def test_all_that_report_rows_are_listed_in_full(self, tmp_path, check):
        error = failed(tmp_path / "a.csv", check)
        assert error.total == len(listed(tmp_path / "a.csv")) == 7
        assert [line["where"] for line in listed(tmp_path / "a.csv")][:5] == [one.where for one in error.problems]
        assert str(error).endswith(f"\n  and 2 more\n{tmp_path / 'a.csv'} lists every problem.")

    def test_a_line_with_too_many_cells(self, tmp_path):
        error = failed(tmp_path / "a.csv", lambda: from_csv("time/usage_start,cost/cost\n2026-03-01,1,2\n", tmp_path))
        assert error.total == 1
        assert listed(tmp_path / "a.csv") == [
            {
                "where": f"{tmp_path}/bill.csv, line 2",
                "column": "",
                "value": "",
                "rule": "3 cells, but the header has 2",
            }
        ]

    def test_an_error_with_the_first_few_only_says_so(self, tmp_path):
        def fail():
            raise InvalidRowsError([Problem("row 1", "a", "1", "no"), Problem("row 2", "a", "1", "no")], 9)

        error = failed(tmp_path / "a.csv", fail)
        assert str(error).endswith(f"and 7 more\n{tmp_path / 'a.csv'} lists the first of them.")
        assert len(listed(tmp_path / "a.csv")) == 2


class TestEarlierFile:
    @pytest.mark.parametrize("content", [LIST, b"where,column,value,rule\r\n"], ids=["list", "empty list"])
    def test_the_list_of_an_earlier_attempt_is_deleted(self, tmp_path, content):
        path = tmp_path / "a.csv"
        path.write_bytes(content)
        with listing_problems(path, NoStore()):
            assert not path.exists()
        store = Store(**{"s3://b/a.csv": content})
        with listing_problems("s3://b/a.csv", store):
            assert store.files == {}

    def test_a_new_list_replaces_it(self, tmp_path):
        failed(tmp_path / "a.csv", check_bad)
        failed(tmp_path / "a.csv", check_bad)
        assert len(listed(tmp_path / "a.csv")) == 30

    @pytest.mark.parametrize("content", [b"time/usage_start,cost/cost\n", b"\x00\xff", b"\n"])
    def test_any_other_file_is_left_alone(self, tmp_path, content):
        path = tmp_path / "a.csv"
        path.write_bytes(content)
        store = Store(**{"s3://b/a.csv": content})
        words = "that file exists and is not a list of problems, so it is not replaced"
        for given in (path, "s3://b/a.csv"):
            with pytest.raises(ConfigurationError, match=words), listing_problems(given, store):
                raise AssertionError("the rows were read")
        assert (path.read_bytes(), store.files["s3://b/a.csv"]) == (content, content)

    def test_an_empty_file_stays_until_there_are_problems(self, tmp_path):
        path = tmp_path / "a.csv"
        path.touch()
        with listing_problems(path, NoStore()):
            pass
        assert path.read_bytes() == b""
        failed(path, check_bad)
        assert len(listed(path)) == 30

    def test_a_folder_is_an_error(self, tmp_path):
        (tmp_path / "a.csv").mkdir()
        with pytest.raises(ConfigurationError, match="that is a folder"), listing_problems(tmp_path / "a.csv", None):
            raise AssertionError("the rows were read")

    @pytest.mark.parametrize("path", ["", "a.txt", 5, True, b"a.csv", "a\0.csv", ["a.csv"]])
    def test_another_ending_is_an_error_before_anything_is_read(self, path):
        with pytest.raises(ConfigurationError, match=r"^problems_file is "), listing_problems(path, NoStore()):
            raise AssertionError("the rows were read")


class TestCannotWrite:
    def test_the_error_of_the_rows_says_why(self, tmp_path):
        (tmp_path / "file").touch()
        path = tmp_path / "file" / "a.csv"
        error = failed(path, check_bad)
        assert error.total == 30
        assert error.problems_file is None
        last = str(error).splitlines()[-1]
        assert last.startswith(f"The list of all problems could not be written to {path}: ")
        assert last.endswith(".")
        assert "and 25 more\n" in str(error)

    def test_nor_in_storage(self, caplog):
        caplog.set_level(logging.WARNING)
        store = Store(PermissionError("Access\nDenied."))
        error = failed("s3://b/a.csv", check_bad, store)
        assert str(error).splitlines()[-1] == (
            "The list of all problems could not be written to s3://b/a.csv: PermissionError: Access Denied."
        )
        assert "can't look for the problems of an earlier attempt: PermissionError: Access Denied" in caplog.text
        assert error.__cause__ is None

    def test_good_rows_need_no_list(self, caplog):
        with listing_problems("s3://b/a.csv", Store(InputError("s3://b/a.csv: the file can't be read (X)."))):
            pass
        assert "earlier attempt: s3://b/a.csv: the file can't be read (X)" in caplog.text

    def test_what_the_user_can_correct_is_an_error(self):
        store = Store(ConfigurationError("s3://b/a.csv: Airflow can't open it."))
        with pytest.raises(ConfigurationError), listing_problems("s3://b/a.csv", store):
            raise AssertionError("the rows were read")

    def test_a_list_that_fails_half_way_leaves_no_file(self, tmp_path):
        def where(index):
            if index == 12:
                raise ZeroDivisionError("no place")
            return f"row {index}"

        rows = sources.from_records(BAD)
        error = failed(tmp_path / "a.csv", lambda: check_rows(sources.Rows(rows.columns, rows.count, where), MARCH))
        assert str(error).endswith("ZeroDivisionError: no place.")
        assert list(Path(tmp_path).iterdir()) == []
