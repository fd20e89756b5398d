"""Whole reports, as a task returns them and as a person reads them."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from support.rows import bill_row, checked

from cloudzero_provider.anycost.comparison.report import plan_report
from cloudzero_provider.anycost.plan import Limits, Operation, make_plan

NOW = datetime(2026, 3, 6, 12, tzinfo=timezone.utc)
COMPUTE, STORAGE, QUEUE = ({"resource/service": name} for name in ("Compute", "Storage", "Queue"))
EUROPE = {"resource/region": "eu"}
HELD = [
    bill_row(1, 0, "1000.5", **COMPUTE, **EUROPE),
    bill_row(1, 0, "2", **STORAGE, **EUROPE),
    bill_row(1, 1, "3", **STORAGE),
    bill_row(2, 0, "40", **COMPUTE, **{"cost/amortized_cost": "7"}),
]
GIVEN = [
    bill_row(1, 0, "1500.75", **COMPUTE, **EUROPE),
    bill_row(1, 0, "2", **STORAGE, **EUROPE),
    bill_row(1, 1, "-4", **QUEUE),
    bill_row(3, 0, "5"),
]


def report_of(given, held=None, operation=Operation.REPLACE_DROP, **options):
    rows, limits = checked(given), Limits(max_body_bytes=300)
    before = checked(held).frame if held else None
    return plan_report(make_plan(rows, operation, limits), "stream|1", limits, rows.frame, before, now=NOW, **options)


def line(rows, costs, change, added, removed, changed):
    """The figures of a day, a value or a mover."""
    return {
        "rows_before": rows[0],
        "rows_after": rows[1],
        "cost_before": costs[0],
        "cost_after": costs[1],
        "cost_change": change,
        "added": added,
        "removed": removed,
        "changed": changed,
    }


def test_hours_of_a_month():
    report = report_of(GIVEN, HELD, Operation.REPLACE_HOURLY, by="resource/region")
    assert report.as_dict() == {
        "month": "2026-03",
        "anycost_connection_id": "stream|1",
        "operation": "replace_hourly",
        "rows": 4,
        "total_cost": "1503.75",
        "totals": {"cost/cost": "1503.75"},
        "requests": 2,
        "bytes": 492,
        "largest_request_bytes": 287,
        "limits": {"max_body_bytes": 300, "max_month_bytes": 70_000_000, "max_month_rows": 1_000_000},
        "held": {"rows": 4, "totals": {"cost/cost": "1045.5", "cost/amortized_cost": "7"}},
        "kept": {"rows": 1, "totals": {"cost/cost": "40", "cost/amortized_cost": "7"}},
        "becomes": {"rows": 5, "totals": {"cost/cost": "1543.75", "cost/amortized_cost": "7"}},
        "held_problem": None,
        "unchanged": False,
        "by": "resource/region",
        "changes": {
            **line((4, 5), ("1045.5", "1543.75"), "498.25", 2, 1, 1),
            "by": "resource/region",
            "unchanged": 2,
            "added_cost": "1",
            "removed_cost": "3",
            "changed_cost_before": "1000.5",
            "changed_cost_after": "1500.75",
            "unchanged_cost": "42",
            "by_day": [
                {"day": "2026-03-01", **line((3, 3), ("1005.5", "1498.75"), "493.25", 1, 1, 1)},
                {"day": "2026-03-02", **line((1, 1), ("40", "40"), "0", 0, 0, 0)},
                {"day": "2026-03-03", **line((0, 1), ("0", "5"), "5", 1, 0, 0)},
            ],
            "by_value": [
                {"value": "eu", **line((2, 2), ("1002.5", "1502.75"), "500.25", 0, 0, 1)},
                {"value": "(none)", **line((2, 3), ("43", "41"), "-2", 2, 1, 0)},
            ],
            "others": None,
            "movers": [
                {"day": "2026-03-01", "value": "eu", **line((2, 2), ("1002.5", "1502.75"), "500.25", 0, 0, 1)},
                {"day": "2026-03-01", "value": "(none)", **line((1, 1), ("3", "-4"), "-7", 1, 1, 0)},
                {"day": "2026-03-03", "value": "(none)", **line((0, 1), ("0", "5"), "5", 1, 0, 0)},
            ],
        },
        "days_without_rows": ["2026-03-04", "2026-03-05"],
        "rows_sha256": "4f9031b4d2f4f0a8939a82e03fa641337072c6667b6b670ddca8dddae53f8f42",
        "held_sha256": "988a10acba8df333a04e98ac5c4e70e9ff7bd6cb29ccedaae1d2e199cb20b10e",
        "held_by_hour": {"2026-03-01T00:00:00Z": "6946cb3c52ee71c4", "2026-03-01T01:00:00Z": "b5d2f0f44921fffa"},
        "markdown": MARKDOWN_OF_HOURS,
    }


MARKDOWN_OF_HOURS = r"""### 2026-03: 4 rows, cost 1,045.5 → 5 rows, cost 1,543.75 (+498.25, +47.7%)

A plan for AnyCost stream stream&#124;1, with `replace_hourly`. Nothing was sent.

1 row, cost 40, stay as they are.

#### Totals

|  | before | after | difference |
| --- | ---: | ---: | ---: |
| cost/cost | 1,045.5 | 1,543.75 | +498.25 |
| cost/amortized\_cost | 7 | 7 | 0 |

#### Difference

|  | rows | cost before | cost after | difference |
| --- | ---: | ---: | ---: | ---: |
| added | 2 |  | 1 | +1 |
| removed | 1 | 3 |  | -3 |
| changed | 1 | 1,000.5 | 1,500.75 | +500.25 |
| unchanged | 2 | 42 | 42 | 0 |

#### By resource/region

| resource/region | rows before | rows after | cost before | cost after | difference | added | removed | changed |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| eu | 2 | 2 | 1,002.5 | 1,502.75 | +500.25 | 0 | 0 | 1 |
| (none) | 2 | 3 | 43 | 41 | -2 | 2 | 1 | 0 |

#### Largest movers

| day | resource/region | cost before | cost after | difference |
| --- | --- | ---: | ---: | ---: |
| 2026-03-01 | eu | 1,002.5 | 1,502.75 | +500.25 |
| 2026-03-01 | (none) | 3 | -4 | -7 |
| 2026-03-03 | (none) | 0 | 5 | +5 |

#### By day

| day | rows before | rows after | cost before | cost after | difference | added | removed | changed |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| 2026-03-01 | 3 | 3 | 1,005.5 | 1,498.75 | +493.25 | 1 | 1 | 1 |
| 2026-03-02 | 1 | 1 | 40 | 40 | 0 | 0 | 0 | 0 |
| 2026-03-03 | 0 | 1 | 0 | 5 | +5 | 1 | 0 | 0 |

#### Days without rows

2026-03-04, 2026-03-05

#### Requests

| sends | planned | limit |
| --- | ---: | ---: |
| rows | 4 | 1,000,000 |
| bytes | 492 | 70,000,000 |
| bytes of the largest request | 287 | 300 |
| requests | 2 |  |
"""


def test_a_month_that_is_equal():
    rows = [bill_row(day, 0, "2", **COMPUTE) for day in range(1, 6)]
    assert (
        sections(report_of(rows, rows[::-1]), "By day", "Requests")
        == r"""### 2026-03: 5 rows, cost 10 → 5 rows, cost 10 (0)

A plan for AnyCost stream stream&#124;1, with `replace_drop`. Nothing was sent.

**CloudZero holds exactly these rows already.**

#### Totals

|  | before | after | difference |
| --- | ---: | ---: | ---: |
| cost/cost | 10 | 10 | 0 |

#### Difference

|  | rows | cost before | cost after | difference |
| --- | ---: | ---: | ---: | ---: |
| added | 0 |  | 0 | 0 |
| removed | 0 | 0 |  | 0 |
| changed | 0 | 0 | 0 | 0 |
| unchanged | 5 | 10 | 10 | 0 |

#### By resource/service

| resource/service | rows before | rows after | cost before | cost after | difference | added | removed | changed |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| Compute | 5 | 5 | 10 | 10 | 0 | 0 | 0 | 0 |

#### Largest movers

None.

#### Days without rows

None.
"""
    )


def sections(report, *without):
    """The Markdown without some of its sections."""
    parts = report.markdown.split("\n#### ")
    return "\n#### ".join(part for part in parts if not part.startswith(without))


def test_a_month_that_can_not_be_compared():
    problem = "The key may not read it."
    report = report_of([bill_row(1, 0, "2", **{"cost/amortized_cost": "3"})], held_problem=problem)
    assert (
        sections(report, "Requests", "Days")
        == r"""### 2026-03: becomes 1 row, cost 2

A plan for AnyCost stream stream&#124;1, with `replace_drop`. Nothing was sent.

**What CloudZero holds can't be compared:** The key may not read it.

#### Totals

|  | sent |
| --- | ---: |
| cost/cost | 2 |
| cost/amortized\_cost | 3 |
"""
    )


@pytest.mark.parametrize(("length", "end"), [(1000, "x\n"), (1001, "…\n")])
def test_a_long_problem_is_cut(length, end):
    first, _, second = report_of([bill_row()], held_problem="x" * length).markdown.partition("compared:** ")
    assert first
    assert second[:1001] == "x" * 999 + end


def test_a_cost_column_that_only_one_version_has_is_zero_in_the_other():
    report = report_of([bill_row(1, 0, "2")], [bill_row(1, 0, "2", **{"cost/amortized_cost": "3"})])
    assert report.as_dict()["becomes"] == {"rows": 1, "totals": {"cost/cost": "2", "cost/amortized_cost": "0"}}
    assert "| cost/amortized\\_cost | 3 | 0 | -3 |" in report.markdown.splitlines()
    back = report_of([bill_row(1, 0, "2", **{"cost/amortized_cost": "3"})], [bill_row(1, 0, "2")])
    assert "| cost/amortized\\_cost | 0 | 3 | +3 |" in back.markdown.splitlines()


def test_rows_that_change_at_equal_costs_come_before_those_that_stay():
    def rows(service, *descriptions, cost="1"):
        return [
            bill_row(1, 0, cost, **{"resource/service": service, "lineitem/description": it}) for it in descriptions
        ]

    # Three rows change, four and two are replaced, and the total cost of each service stays.
    held = [*rows("three", *"abc"), *rows("two", "a"), *rows("four", *"ab"), *rows("none", "a", cost="-90")]
    given = [*held[:3], *rows("two", "b"), *rows("four", *"cd"), *rows("none", "a", cost="-90")]
    given[0], given[1] = given[0] | {"cost/cost": "0"}, given[1] | {"cost/cost": "2"}
    given[2] = given[2] | {"usage/amount": "1"}
    found = report_of(given, held).changes
    assert [(one.value, one.change.added.rows, one.change.changed_after.rows) for one in found.by_value] == [
        ("four", 2, 0),
        ("three", 0, 3),
        ("two", 1, 0),
        ("none", 0, 0),
    ]
    assert found.movers == ()


def test_values_that_change_alike_are_in_the_order_of_their_names():
    names = [f"s{number:02d}" for number in range(15)]
    given = [bill_row(1, 0, "1", **{"resource/service": name}) for name in reversed(names)]
    for held in (None, given):
        assert [one.value for one in report_of(given, held).changes.by_value] == names
    assert [one.value for one in report_of(given).changes.movers] == names[:10]
