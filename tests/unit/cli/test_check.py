from __future__ import annotations

import csv
import json
import sys
from decimal import Decimal

import pytest
from support.command_line import run, run_json
from support.rows import MARCH, bill_row

from cloudzero_provider import sources
from cloudzero_provider.anycost.checks import check_rows
from cloudzero_provider.anycost.plan import Limits, Operation, make_plan

LONG = "123456789012345678.000000000000000000000000000001"
ROWS = [
    bill_row(1, 0, LONG, **{"lineitem/type": "Usage", "cost/amortized_cost": "0.1"}),
    bill_row(1, 5, "-0.5", **{"lineitem/type": "Credit"}),
    bill_row(30, 23, "0.25", **{"lineitem/type": "Usage", "cost/amortized_cost": "0.2"}),
]
BAD = [
    bill_row(1, 0, "$1.50"),
    bill_row(2, 0, "1"),
    {"time/usage_start": "2026-04-01T00:00:00Z", "cost/cost": "2"},
    bill_row(3, 0, "$2.50"),
    bill_row(4, 0, "3", **{"lineitem/type": "Fees"}),
    bill_row(5, 0, "$3.50"),
    bill_row(6, 0, "$4.50"),
]


def write(path, rows):
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def good(tmp_path):
    return write(tmp_path / "march.csv", ROWS)


@pytest.fixture
def bad(tmp_path):
    return write(tmp_path / "bad.csv", BAD)


class TestGood:
    def test_the_object_says_what_the_operator_would_send(self, good):
        found = run_json("check", good, "--month", "2026-03")
        checked = check_rows(sources.from_files(str(good)), MARCH)
        plan = make_plan(checked, Operation.REPLACE_DROP)
        assert found == {
            "ok": True,
            "month": "2026-03",
            "operation": "replace_drop",
            "files": [str(good)],
            "rows": 3,
            "hours": 3,
            "requests": 1,
            "bytes": plan.size,
            "largest_request_bytes": plan.size,
            "limits": {"max_body_bytes": 4_500_000, "max_month_bytes": 70_000_000, "max_month_rows": 1_000_000},
            "totals": checked.totals,
            "cost_by_day": {
                "2026-03-01": "123456789012345677.500000000000000000000000000001",
                "2026-03-30": "0.25",
            },
            "error": None,
            "problem_count": 0,
            "problems": [],
            "notes": [],
        }
        assert found["totals"]["cost/cost"] == "123456789012345677.750000000000000000000000000001"

    def test_the_report_has_exact_totals_and_every_day_of_the_month(self, good):
        lines = run("check", good, "--month", "2026-03").stdout.splitlines()
        assert lines[0] == f"✓ 2026-03 can be sent: {good}, in 1 request"
        text = "\n".join(lines)
        assert "123,456,789,012,345,677.750000000000000000000000000001" in text
        assert "  01 Sun    123,456,789,012,345,677.500000000000000000000000000001    █" in text
        assert "  02 Mon " in text
        assert text.count("no rows") == 29
        assert all(line == line.rstrip() for line in lines)

    def test_limits_are_those_of_the_operator(self, tmp_path):
        rows = [bill_row(day, hour) for day in (1, 2, 3) for hour in range(24)]
        path = write(tmp_path / "march.csv", rows)
        found = run_json("check", path, "--month", "2026-03", "--max-body-bytes", 1000, "--operation", "replace_hourly")
        plan = make_plan(
            check_rows(sources.from_records(rows), MARCH), Operation.REPLACE_HOURLY, Limits(max_body_bytes=1000)
        )
        assert found["requests"] == len(plan.requests) > 3
        assert found["bytes"] == plan.size
        assert found["largest_request_bytes"] == max(request.size for request in plan.requests) <= 1000

    def test_several_files_and_patterns_are_one_table(self, tmp_path):
        write(tmp_path / "a.csv", ROWS[:1])
        write(tmp_path / "b.csv", ROWS[1:])
        found = run_json("check", tmp_path / "*.csv", "--month", "2026-03")
        assert found["rows"] == 3
        assert [name[-5:] for name in found["files"]] == ["a.csv", "b.csv"]

    def test_decimal_points_are_below_each_other(self, tmp_path):
        costs = ["1000", "-20.5", "3.25", "0.125"]
        path = write(tmp_path / "march.csv", [bill_row(day, 0, cost) for day, cost in enumerate(costs, 1)])
        lines = run("check", path, "--month", "2026-03").stdout.splitlines()
        shown = [
            line[:21].rstrip() for line in lines if line.startswith(("  Day", "  01", "  02", "  03", "  04", "  05"))
        ]
        assert shown == [
            "  Day       cost/cost",
            "  01 Sun    1,000",
            "  02 Mon      -20.5",
            "  03 Tue        3.25",
            "  04 Wed        0.125",
            "  05 Thu      no rows",
        ]

    def test_numbers_of_a_month_without_cost(self, tmp_path):
        path = write(tmp_path / "march.csv", [bill_row(1, 0, "0")])
        assert run_json("check", path, "--month", "2026-03")["cost_by_day"] == {"2026-03-01": "0"}
        assert "  01 Sun            0" in run("check", path, "--month", "2026-03").stdout


class TestBad:
    def test_the_report_groups_problems_by_rule_with_the_first_places_of_each(self, bad):
        text = run("check", bad, "--month", "2026-03", code=1).stdout
        assert text.splitlines()[0] == f"✗ 2026-03 can't be sent: {bad}, 6 problems"
        assert "  cost/cost  4 times\n    not a decimal number\n" in text
        assert "bad.csv, line 2  '$1.50'" in text
        assert "      and 1 more\n" in text
        assert "  time/usage_start  1 time\n    not in 2026-03 (UTC)" in text
        assert "bad.csv, line 6  'Fees'" in text
        assert "more rules" not in text
        assert text.endswith("  --problems FILE.csv lists every problem.\n")

    def test_the_object_has_the_same(self, bad):
        found = run_json("check", bad, "--month", "2026-03", code=1)
        assert (found["ok"], found["rows"], found["requests"], found["totals"]) == (False, 7, None, {})
        assert found["error"]["type"] == "InvalidRowsError"
        assert found["problem_count"] == 6
        assert [(rule["column"], rule["count"]) for rule in found["problems"]] == [
            ("cost/cost", 4),
            ("time/usage_start", 1),
            ("lineitem/type", 1),
        ]
        assert found["problems"][0]["examples"][0] == {"where": f"{bad}, line 2", "value": "'$1.50'"}

    def test_every_problem_is_written_in_the_order_of_the_rows(self, bad, tmp_path):
        out = tmp_path / "out.csv"
        text = run("check", bad, "--month", "2026-03", "--problems", out, code=1).stdout
        assert text.endswith(f"  {out} lists every problem.\n")
        with out.open(newline="", encoding="utf-8") as file:
            found = list(csv.DictReader(file))
        assert [(row["where"].rpartition(", ")[2], row["column"]) for row in found] == [
            ("line 2", "cost/cost"),
            ("line 4", "time/usage_start"),
            ("line 5", "cost/cost"),
            ("line 6", "lineitem/type"),
            ("line 7", "cost/cost"),
            ("line 8", "cost/cost"),
        ]
        assert found[0]["value"] == "'$1.50'"
        assert found[0]["rule"] == "not a decimal number"

    @pytest.mark.parametrize("ending", ["jsonl", "ndjson"])
    def test_every_problem_is_written_as_json_lines_too(self, bad, tmp_path, ending):
        out, csv_file = tmp_path / "new" / f"out.{ending}", tmp_path / "out.csv"
        for path in (out, csv_file):
            run("check", bad, "--month", "2026-03", "--problems", path, code=1)
        found = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
        with csv_file.open(newline="", encoding="utf-8") as file:
            assert found == list(csv.DictReader(file))
        assert len(found) == 6

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("out.txt", "--problems is 'out.txt': expected a file that ends in .csv, .jsonl, .ndjson."),
            ("s3://bucket/out.csv", "--problems s3://bucket/out.csv: expected a file on this machine."),
        ],
    )
    def test_a_list_that_can_not_be_written_is_wrong_usage(self, bad, tmp_path, monkeypatch, name, words):
        monkeypatch.chdir(tmp_path)
        before = sorted(tmp_path.iterdir())
        result = run("check", bad, "--month", "2026-03", "--problems", name, code=2)
        assert words in result.stderr
        assert result.stdout == ""
        assert sorted(tmp_path.iterdir()) == before

    def test_a_good_file_leaves_no_problems_of_an_earlier_run(self, good, bad, tmp_path):
        out = tmp_path / "out.csv"
        run("check", bad, "--month", "2026-03", "--problems", out, code=1)
        run("check", good, "--month", "2026-03", "--problems", out)
        assert out.read_text() == "where,column,value,rule\n"

    def test_the_list_of_problems_is_never_written_over_a_file_to_check(self, bad):
        before = bad.read_bytes()
        result = run("check", bad, "--month", "2026-03", "--problems", bad, code=2)
        assert "is a file to check" in result.stderr
        assert bad.read_bytes() == before

    def test_a_month_that_is_too_big_still_shows_its_totals(self, good):
        found = run_json("check", good, "--month", "2026-03", "--max-month-rows", 2, code=1)
        assert found["error"]["type"] == "MonthTooLargeError"
        assert found["totals"]["cost/amortized_cost"] == "0.3"
        assert (found["rows"], found["hours"], found["requests"]) == (3, 3, None)
        text = run("check", good, "--month", "2026-03", "--max-month-rows", 2, code=1).stdout
        assert "3 rows, 1 more than the 2" in text
        assert "150.0%" in text

    def test_a_file_that_is_broken_is_named_with_its_line(self, tmp_path):
        path = tmp_path / "march.csv"
        path.write_text("time/usage_start,cost/cost\n2026-03-01,1\n2026-03-01,1,2\n")
        assert "march.csv, line 3" in run("check", path, "--month", "2026-03", code=1).stdout

    def test_no_rows(self, tmp_path):
        path = tmp_path / "march.csv"
        path.write_text("time/usage_start,cost/cost\n")
        found = run_json("check", path, "--month", "2026-03", code=1)
        assert found["rows"] == 0
        assert found["error"]["message"].startswith("No rows for 2026-03")

    @pytest.mark.parametrize("option", ["--allow-unknown-columns", "--allow-equal-files"])
    def test_switches_are_those_of_the_operator(self, tmp_path, option):
        write(tmp_path / "a.csv", [bill_row(**{"my/column": "x"})])
        more = ["--allow-equal-files", "--allow-unknown-columns"]
        write(tmp_path / "b.csv", [bill_row(**{"my/column": "x"})])
        files = [tmp_path / "a.csv", tmp_path / "b.csv"]
        assert run_json("check", *files, "--month", "2026-03", *more)["ok"]
        more.remove(option)
        assert not run_json("check", *files, "--month", "2026-03", *more, code=1)["ok"]


class TestFilesElsewhere:
    @pytest.fixture(autouse=True)
    def _process_context(self, monkeypatch):
        # The command sets it for its own process, which is that of the tests here.
        monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")

    def test_a_uri_is_read_by_airflow(self, good):
        found = run_json("check", f"file://{good}", "--month", "2026-03")
        assert (found["ok"], found["rows"]) == (True, 3)

    def test_a_connection_that_airflow_does_not_have_is_wrong_usage(self):
        result = run("check", "s3://gone@bucket/march.csv", "--month", "2026-03", code=2)
        assert "gone" in result.stderr
        assert result.stdout == ""


class TestUsage:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["march.csv", "--month", "2026-13"], "'2026-13' is not a valid month"),
            (["gone.csv", "--month", "2026-03"], "gone.csv: there is no such file."),
            (["gone-*.csv", "--month", "2026-03"], "gone-*.csv: no file matches."),
            (["march.xlsx", "--month", "2026-03"], "march.xlsx: expected a file that ends in .csv"),
            (["march.csv", "--month", "2026-03", "--operation", "add"], "operation is 'add': expected one of"),
            (["march.csv", "--month", "2026-03", "--max-month-rows", "0"], "max_month_rows is 0"),
            (["march.csv", "--month", "2026-03", "--month-from", "x"], "--month-from: only with --focus."),
            (["march.csv", "--month", "2026-03", "--transform", "x"], "expected module:function"),
            (["march.csv", "--month", "2026-03", "--transform", "no_such:x"], "no_such can't be imported"),
        ],
    )
    def test_wrong_usage_ends_with_2_and_prints_only_an_error(self, good, monkeypatch, arguments, message):
        monkeypatch.chdir(good.parent)
        result = run("check", *arguments, code=2)
        assert message in result.stderr
        assert result.stdout == ""
        assert run("check", *arguments, "--json", code=2).stdout == ""

    def test_the_month_is_required(self, good):
        assert "--month" in run("check", good, code=2).stderr


TRANSFORMS = """
import polars as pl
from cloudzero_provider.transforms import dates
print("imported")
def to_cbf(lines):
    print("called")
    return lines.select(pl.col("day").alias("time/usage_start"), pl.col("amount").alias("cost/cost"))
def broken(lines):
    return lines.select("no such column")
def first(lines):
    return lines.head(1)
number = 3
steps = [first, to_cbf]
dated = [dates("day", "%m/%d/%Y"), to_cbf]
nothing = []
mixed = [to_cbf, 3]
"""


class TestTransforms:
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "path", list(sys.path))
        (tmp_path / "my_vendor.py").write_text(TRANSFORMS)
        (tmp_path / "bill.csv").write_text("day,amount\n2026-03-01,1.5\n2026-03-02,2\n")
        yield
        sys.modules.pop("my_vendor", None)

    @pytest.mark.parametrize("where", ["my_vendor", "my_vendor.py", "./my_vendor.py"])
    def test_a_function_of_a_module_or_of_a_file_is_applied_before_the_checks(self, where):
        found = run_json("check", "bill.csv", "--month", "2026-03", "--transform", f"{where}:to_cbf")
        assert found["totals"] == {"cost/cost": "3.5"}
        assert {"level": "info", "message": "transform: to_cbf converted 2 rows to 2"} in found["notes"]

    def test_several_are_applied_in_order(self):
        several = ["--transform", "my_vendor:first", "--transform", "my_vendor:to_cbf"]
        assert run_json("check", "bill.csv", "--month", "2026-03", *several)["rows"] == 1

    def test_a_list_of_functions_is_applied_in_order(self):
        found = run_json("check", "bill.csv", "--month", "2026-03", "--transform", "my_vendor:steps")
        assert found["totals"] == {"cost/cost": "1.5"}

    def test_what_a_module_prints_is_not_part_of_the_report(self):
        result = run("check", "bill.csv", "--month", "2026-03", "--transform", "my_vendor:to_cbf", "--json")
        assert json.loads(result.stdout)["ok"]
        assert "imported\n" in result.stderr
        assert "called\n" in result.stderr

    def test_an_error_of_a_function_is_reported_with_the_columns_it_was_given(self):
        text = run("check", "bill.csv", "--month", "2026-03", "--transform", "my_vendor:broken", code=1).stdout
        assert "transform: broken failed on the rows of bill.csv" in text
        assert "The columns it was given: day, amount." in text

    def test_problems_after_a_transform_keep_their_lines(self, tmp_path):
        (tmp_path / "bill.csv").write_text("day,amount\n2026-03-01,1.5\n2026-03-02,$2\n")
        found = run_json("check", "bill.csv", "--month", "2026-03", "--transform", "my_vendor:to_cbf", code=1)
        assert found["problems"][0]["examples"] == [{"where": "bill.csv, line 3", "value": "'$2'"}]

    def test_a_time_in_a_problem_is_written_as_people_write_it(self, tmp_path):
        (tmp_path / "bill.csv").write_text("day,amount\n04/01/2026,1.5\n")
        text = run("check", "bill.csv", "--month", "2026-03", "--transform", "my_vendor:dated", code=1).stdout
        assert "2026-04-01 00:00:00+00:00" in text
        assert "datetime" not in text

    def test_something_that_is_not_a_function_is_wrong_usage(self):
        not_functions = [(name, f"nor a list of functions: {name}") for name in ("number", "nothing", "mixed")]
        for name, message in (*not_functions, ("gone", "has no gone")):
            result = run("check", "bill.csv", "--month", "2026-03", "--transform", f"my_vendor:{name}", code=2)
            assert message in result.stderr


class TestFocus:
    HEADER = "BilledCost,EffectiveCost,ChargePeriodStart,ChargeCategory,BillingPeriodStart,BillingPeriodEnd,Team\n"
    LINES = (
        "1.25,1,2026-03-02T00:00:00Z,Usage,2026-03-01T00:00:00Z,2026-04-01T00:00:00Z,search\n"
        "2.5,2,2026-02-28T00:00:00Z,Usage,2026-03-01T00:00:00Z,2026-04-01T00:00:00Z,ads\n"
    )

    @pytest.fixture
    def export(self, tmp_path):
        path = tmp_path / "focus.csv"
        path.write_text(self.HEADER + self.LINES)
        return path

    def test_charges_are_converted_with_the_options_of_to_cbf(self, export):
        options = ["--focus", "--month-from", "billing_period"]
        options += ["--resource-from", "Team", "--tag-columns", "Team", "--lineitem-id-column", "Team"]
        found = run_json("check", export, "--month", "2026-03", *options)
        assert found["totals"]["cost/cost"] == "3.75"
        assert Decimal(found["totals"]["cost/amortized_cost"]) == 3
        assert any("Converted FOCUS to CBF" in note["message"] for note in found["notes"])

    def test_without_the_option_the_correction_is_of_another_month(self, export):
        found = run_json("check", export, "--month", "2026-03", "--focus", code=1)
        assert "month_from='billing_period'" in found["problems"][0]["rule"]

    def test_a_wrong_value_names_the_option(self, export):
        result = run("check", export, "--month", "2026-03", "--focus", "--currency", "usd", code=2)
        assert "currency is 'usd'" in result.stderr

    def test_warnings_are_notes_of_the_report(self, export):
        text = run("check", export, "--month", "2026-03", "--focus", "--month-from", "billing_period").stdout
        assert "  ! " in text
        assert "  · The columns are those of FOCUS" in text
