from __future__ import annotations

import re
from datetime import datetime, timezone

import pytest
from support.rendered_markdown import HOSTILE, TAGS, rendered, text_of
from support.telemetry_plans import planned
from support.telemetry_records import allocation, metric

from cloudzero_provider.months import Month
from cloudzero_provider.telemetry.batches import BatchLimits
from cloudzero_provider.telemetry.checks import OnZero

MARCH = Month(2026, 3)
LATER = datetime(2026, 7, 1, tzinfo=timezone.utc)
NEWEST = "CloudZero returns only the newest 1,000 records of a stream, so nothing is compared with what it holds."


def table(page, *header):
    """The lines of a table without its header, each of which has as many cells."""
    (found,) = [lines for lines in page.tables if lines[0] == list(header)]
    assert {len(line) for line in found} == {len(header)}
    return found[1:]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_element_is_shown_as_text_and_breaks_nothing(value):
    page = rendered(planned([allocation(1, value, 2), allocation(1, "b", 1)]).markdown)
    assert page.tags <= TAGS
    lines = table(page, "element_name", "records", "total")
    assert [[text_of(cell) for cell in line] for line in lines] == [[value.strip(), "1", "2"], ["b", "1", "1"]]


@pytest.mark.parametrize("value", HOSTILE)
def test_so_are_hostile_filter_keys(value):
    report = planned([metric(1, 2, associated_cost={value: value})], stream_type="metric")
    page = rendered(report.markdown)
    assert page.tags <= TAGS
    [[name, *numbers]] = table(page, "associated_cost", "records", "total")
    given = report.as_dict()["by_value"]["values"][0]["value"]
    assert text_of(name) == (given if len(given) <= 80 else f"{given[:79]}…")
    assert numbers == ["1", "2"]


def test_each_part_of_a_report():
    records = [allocation(day, element, day * 1_000) for day in (1, 2, 5) for element in ("Email", "Chat")]
    page = rendered(planned(records, month=MARCH, now=LATER).markdown)
    assert page.text.startswith("orders, 2026-03: writes 6 records, total 16,000\n")
    assert f"A plan for allocation stream orders, with replace, DAILY. Nothing was sent. {NEWEST}" in page.text
    assert table(page, "", "planned") == [
        ["records", "6"],
        ["total", "16,000"],
        ["first", "2026-03-01T00:00:00Z"],
        ["last", "2026-03-05T00:00:00Z"],
        ["sets of filter keys", "1"],
    ]
    assert table(page, "element_name", "records", "total") == [["Chat", "3", "8,000"], ["Email", "3", "8,000"]]
    assert table(page, "day", "records", "total")[-1] == ["2026-03-05", "2", "10,000"]
    assert "2026-03-03 to 2026-03-04 (2 days), 2026-03-06 to 2026-03-31 (26 days)." in page.text
    assert "deletes" not in page.text


def test_requests_stand_beside_their_limits():
    limits = BatchLimits(max_body_bytes=2_000, max_batch_records=30)
    report = planned([allocation(1, f"e{n}") for n in range(50)], limits=limits)
    assert table(rendered(report.markdown), "sends", "planned", "limit") == [
        ["requests", f"{report.summary.requests}", ""],
        ["bytes", f"{report.summary.bytes:,}", ""],
        ["bytes of the largest request", f"{report.largest_request_bytes:,}", "2,000"],
        ["records of the largest request", f"{report.largest_request_records}", "30"],
    ]


def test_what_is_deleted_is_said_first():
    records = [allocation(day) for day in (1, 2, 4)] + [allocation(3, "b", 0)]
    report = planned(records, clear_periods=True, on_zero=OnZero.DELETE)
    text = rendered(report.markdown).text
    assert "First deletes all records of 4 days: 2026-03-01 to 2026-03-04 (4 days)." in text
    assert "Deletes 1 record whose value is zero, and with each every record that has its properties and more." in text
    assert text.index("First deletes") < text.index("Deletes 1") < text.index("Records")
    assert ["zeros deleted", "1"] in table(rendered(report.markdown), "", "planned")


@pytest.mark.parametrize(
    ("operation", "headline"),
    [
        ("replace", "orders: writes 1 record, total 1,234.5"),
        ("sum", "orders: adds 1 record, total 1,234.5"),
        ("delete", "orders: deletes 1 record"),
    ],
)
def test_the_headline_says_what_the_operation_does(operation, headline):
    page = rendered(planned([allocation(1, "a", "1234.5")], operation=operation).markdown)
    assert page.text.splitlines()[0] == headline


def test_a_deletion_has_no_totals_and_no_gaps():
    page = rendered(planned([{"timestamp": "2026-03-01"}, {"timestamp": "2026-03-03"}], operation="delete").markdown)
    assert table(page, "element_name", "records") == [["(all)", "2"]]
    assert table(page, "day", "records") == [["2026-03-01", "1"], ["2026-03-03", "1"]]
    assert "without records" not in page.text
    assert "total" not in page.text


def test_the_others_are_one_line():
    page = rendered(planned([allocation(1, f"e{n:02}", "0.1") for n in range(30)]).markdown)
    lines = table(page, "element_name", "records", "total")
    assert len(lines) == 21
    assert lines[-1] == ["10 other values", "10", "1"]
    months = [
        allocation() | {"timestamp": f"{year}-{month:02}-01"} for year in (2024, 2025, 2026) for month in range(1, 13)
    ]
    lines = table(rendered(planned(months, granularity="MONTHLY").markdown), "month", "records", "total")
    assert lines[-1] == ["5 other months", "5", "5"]


def test_records_without_keys_and_periods_without_gaps():
    page = rendered(planned([metric(1), metric(2)], stream_type="metric", granularity=None).markdown)
    assert table(page, "associated_cost", "records", "total") == [["(none)", "2", "2"]]
    assert "Days without records\nNone." in page.text.replace("\n\n", "\n")


def test_more_gaps_than_are_listed_are_counted():
    hours = [f"2026-03-{day:02}T{hour:02}:00:00Z" for day in range(1, 4) for hour in range(0, 24, 2)]
    report = planned([allocation() | {"timestamp": hour} for hour in hours], granularity="HOURLY")
    [gaps] = re.findall(r"#### Hours without records\n\n(.*)\n", report.markdown)
    assert gaps.startswith("2026-03-01T01:00:00Z, 2026-03-01T03:00:00Z, ")
    assert gaps.endswith("2026-03-03T13:00:00Z, and 4 more.")


def test_what_a_person_decides_by_comes_first():
    headings = re.findall(r"^#+ (.+)$", planned([metric()], stream_type="metric").markdown, re.MULTILINE)
    assert headings == [
        "orders: writes 1 record, total 1",
        "Records",
        "By associated\\_cost",
        "By day",
        "Days without records",
        "Requests",
    ]
