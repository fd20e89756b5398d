from __future__ import annotations

import re

import pytest
from support.rendered_markdown import HOSTILE, TAGS, rendered, text_of
from support.rows import bill_row, checked

from cloudzero_provider.anycost.comparison.report import plan_report
from cloudzero_provider.anycost.plan import Limits, Operation, make_plan

#: Columns of the lists by day and by value.
COLUMNS = ["rows before", "rows after", "cost before", "cost after", "difference", "added", "removed", "changed"]


def report_of(given, held=None, operation=Operation.REPLACE_DROP, **options):
    rows = checked(given)
    before = checked(held).frame if held else None
    return plan_report(make_plan(rows, operation), "stream-1", Limits(), rows.frame, before, **options)


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_is_shown_as_text_and_breaks_nothing(value):
    report = report_of([bill_row(1, 0, "2", **{"resource/service": value}), bill_row(2)], [bill_row(2)])
    page = rendered(report.markdown)
    assert page.tags <= TAGS
    by_value = table(page, "resource/service", COLUMNS)
    assert sorted(text_of(line[0]) for line in by_value) == sorted([value, "(none)"])
    movers = table(page, "day", ["resource/service", "cost before", "cost after", "difference"])
    assert [list(map(text_of, line)) for line in movers] == [["2026-03-01", value, "0", "2", "+2"]]


def table(page, first, others):
    """The lines of a table without its header, each of which has as many cells."""
    (found,) = [lines for lines in page.tables if lines[0] == [first, *others]]
    assert {len(line) for line in found} == {1 + len(others)}
    return found[1:]


def test_the_headline_and_each_part_of_a_month_that_changes():
    held = [bill_row(1, cost="1000.5"), bill_row(2, cost="2"), bill_row(3, cost="3"), bill_row(3, cost="3")]
    given = [bill_row(1, cost="1500.75"), bill_row(2, cost="2"), bill_row(4, cost="-4")]
    page = rendered(report_of(given, held).markdown)
    assert "2026-03: 4 rows, cost 1,008.5 → 3 rows, cost 1,498.75 (+490.25, +48.6%)" in page.text
    assert table(page, "", ["before", "after", "difference"]) == [["cost/cost", "1,008.5", "1,498.75", "+490.25"]]
    assert table(page, "", ["rows", "cost before", "cost after", "difference"]) == [
        ["added", "1", "", "-4", "-4"],
        ["removed", "2", "6", "", "-6"],
        ["changed", "1", "1,000.5", "1,500.75", "+500.25"],
        ["unchanged", "1", "2", "2", "0"],
    ]
    assert table(page, "day", COLUMNS)[0] == [
        "2026-03-01", "1", "1", "1,000.5", "1,500.75", "+500.25", "0", "0", "1"
    ]  # fmt: skip
    assert table(page, "resource/service", COLUMNS) == [
        ["(none)", "4", "3", "1,008.5", "1,498.75", "+490.25", "1", "2", "1"]
    ]
    assert [line[0] for line in table(page, "day", ["resource/service", "cost before", "cost after", "difference"])] == [
        "2026-03-01", "2026-03-03", "2026-03-04"
    ]  # fmt: skip
    assert ["requests", "1", ""] in table(page, "sends", ["planned", "limit"])
    assert "2026-03-03, 2026-03-05, 2026-03-06" in page.text


def test_percentages_are_of_the_absolute_cost():
    assert "(+2, +50.0%)" in report_of([bill_row(cost="-2")], [bill_row(cost="-4")]).markdown
    assert "(-2, -50.0%)" in report_of([bill_row(cost="2")], [bill_row(cost="4")]).markdown
    assert "(+2)" in report_of([bill_row(cost="2")], [bill_row(cost="0")]).markdown


def test_amounts_of_many_digits_are_exact():
    cost = "999999999999999999.000000000000000000000000000001"
    page = rendered(report_of([bill_row(cost=cost), bill_row(2, cost=cost)], [bill_row(cost="-1")]).markdown)
    assert "1,999,999,999,999,999,998.000000000000000000000000000002" in page.text
    assert "+1,999,999,999,999,999,999.000000000000000000000000000002" in page.text


def test_other_values_are_one_line():
    given = [bill_row(1, cost="1", **{"resource/service": f"s{number}"}) for number in range(30)]
    lines = table(rendered(report_of(given).markdown), "resource/service", COLUMNS)
    assert lines[-1] == ["10 other values", "0", "10", "0", "10", "+10", "10", "0", "0"]
    assert len(lines) == 21


def test_what_is_said_without_changes_and_without_a_held_month():
    rows = [bill_row(1), bill_row(2)]
    same = rendered(report_of(rows, rows[::-1]).markdown).text
    assert "CloudZero holds exactly these rows already." in same
    assert "Largest movers\nNone." in same.replace("\n\n", "\n")
    assert "2026-03: nothing held → 2 rows, cost 2" in rendered(report_of(rows).markdown).text


def test_what_is_said_when_the_held_month_can_not_be_read():
    report = report_of([bill_row(1)], held_problem="The key <b>may not</b> read the month.")
    page = rendered(report.markdown)
    assert "What CloudZero holds can't be compared: The key <b>may not</b> read the month." in page.text
    assert "2026-03: becomes 1 row, cost 1" in page.text
    assert "By day" not in page.text
    assert "b" not in page.tags
    hourly = report_of([bill_row(1)], operation=Operation.REPLACE_HOURLY, held_problem="No.")
    assert "2026-03: sends 1 row, cost 1" in hourly.markdown


def test_what_is_said_of_rows_that_stay():
    page = rendered(report_of([bill_row(1)], [bill_row(1, 1), bill_row(2)], Operation.REPLACE_HOURLY).markdown)
    assert "2 rows, cost 2, stay as they are." in page.text
    assert "2026-03: 2 rows, cost 2 → 3 rows, cost 3 (+1, +50.0%)" in page.text


def test_what_a_person_decides_by_comes_first():
    headings = re.findall(
        r"^#+ (.+)$", report_of([bill_row(1, cost="2")], [bill_row(1, cost="1")]).markdown, re.MULTILINE
    )
    assert headings[1:] == [
        "Totals",
        "Difference",
        "By resource/service",
        "Largest movers",
        "By day",
        "Days without rows",
        "Requests",
    ]
