from __future__ import annotations

import logging
from decimal import Decimal
from types import SimpleNamespace

import pytest
from support.rows import MARCH, bill_row, checked

from cloudzero_provider.anycost.comparison.report import plan_report
from cloudzero_provider.anycost.comparison.sums import RowsAndCost
from cloudzero_provider.anycost.guards import contents
from cloudzero_provider.anycost.guards.approved_plan import ApprovedPlan
from cloudzero_provider.anycost.guards.contents import Compared, ContentGuards, compare_contents
from cloudzero_provider.anycost.guards.cost_change import read_max_cost_change
from cloudzero_provider.anycost.guards.months import GivenMonth, HeldMonth
from cloudzero_provider.anycost.plan import Limits, Operation, make_plan
from cloudzero_provider.exceptions import CostWouldChangeError, PlanDiffersError

HELD = [bill_row(1, 0, "1"), bill_row(1, 0, "2"), bill_row(1, 1, "3"), bill_row(2, 0, "4"), bill_row(3, 0, "5")]
GIVEN = [bill_row(1, 0, "1"), bill_row(1, 0, "7"), bill_row(2, 0, "4", **{"lineitem/id": "new"}), bill_row(2, 0, "2.5")]


def given_month(operation=Operation.REPLACE_HOURLY, rows=GIVEN):
    month = checked(rows)
    return GivenMonth.of_plan("stream-1", month, make_plan(month, operation))


def approved(operation=Operation.REPLACE_HOURLY, held=HELD):
    rows = checked(GIVEN)
    report = plan_report(make_plan(rows, operation), "stream-1", Limits(), rows.frame, checked(held).frame)
    return ApprovedPlan.parse(report.as_dict())


@pytest.fixture
def asked(monkeypatch):
    """What CloudZero was asked for; it holds the rows of this list."""
    asked = SimpleNamespace(calls=[], held=HELD)

    def read_held(*arguments):
        asked.calls.append(arguments)
        frame = checked(asked.held or GIVEN).frame
        return HeldMonth.of(frame if asked.held else frame.clear())

    monkeypatch.setattr(contents, "read_held", read_held)
    return asked


def compared(guards, earlier=None, operation=Operation.REPLACE_HOURLY, rows=GIVEN):
    return compare_contents("client", lambda: given_month(operation, rows), guards, earlier)


def earlier(*, passed=False, begun=False):
    return SimpleNamespace(
        passed_guards=lambda held: isinstance(held, HeldMonth) and passed,
        has_begun=lambda held: isinstance(held, HeldMonth) and begun,
    )


def test_nothing_is_read_unless_a_guard_needs_it(asked):
    assert compared(ContentGuards()) is None
    assert asked.calls == []
    guards = ContentGuards(read_max_cost_change("1000%"), True, True, approved())
    found = compared(guards)
    assert asked.calls == [
        ("client", "stream-1", MARCH, ["max_cost_change", "skip_unchanged", "report_changes", "plan"])
    ]
    assert found == Compared(RowsAndCost(5, Decimal(15)), RowsAndCost(3, Decimal(7)), is_equal=False)
    assert ContentGuards(report_changes=True).needed_by == ["report_changes"]
    assert ContentGuards(max_cost_change=read_max_cost_change(0)).needed_by == ["max_cost_change"]


def test_equal_contents_are_equal(asked):
    assert compared(ContentGuards(skip_unchanged=True), rows=HELD[2:0:-1] + HELD[:1]).is_equal


def test_the_changes_are_logged(asked, caplog):
    caplog.set_level(logging.INFO, contents.log.name)
    compared(ContentGuards(report_changes=True))
    assert [record.getMessage() for record in caplog.records] == [
        "2026-03: total cost 15 before, 22.5 after (+7.5)",
        "2026-03: 1 row added, cost 4",
        "2026-03: 0 rows removed, cost 0",
        "2026-03: 2 rows changed, cost 6 before, 9.5 after",
        "2026-03: 1 row unchanged, cost 1",
    ]


@pytest.mark.parametrize(("cost", "change"), [("1", "0"), ("1.5", "+0.5"), ("2", "+1"), ("0.5", "-0.5")])
def test_the_difference_has_a_sign(asked, caplog, cost, change):
    caplog.set_level(logging.INFO, contents.log.name)
    asked.held = HELD[:1]
    compared(ContentGuards(report_changes=True), rows=[bill_row(1, 0, cost)])
    assert caplog.records[0].getMessage() == f"2026-03: total cost 1 before, {cost} after ({change})"


def test_the_total_cost_may_move_as_far_as_is_allowed(asked):
    assert compared(ContentGuards(read_max_cost_change("7.5"))).held.rows == 5
    with pytest.raises(CostWouldChangeError) as error:
        compared(ContentGuards(read_max_cost_change("7.4")))
    assert str(error.value).startswith(
        "2026-03: the total cost would change from the 15 that CloudZero holds to 22.5 (+50.0%), more than "
        "max_cost_change='7.4' allows"
    )
    guards = ContentGuards(read_max_cost_change("0"))
    assert compared(guards, earlier(passed=True)).held.rows == 5
    with pytest.raises(CostWouldChangeError):
        compared(guards, earlier(begun=True))
    asked.held = []
    assert compared(guards).held == RowsAndCost()


def test_what_was_approved_is_compared(asked):
    guards = ContentGuards(approved=approved())
    assert compared(guards).replaced.rows == 3
    with pytest.raises(PlanDiffersError, match="the rows are not those of the plan"):
        compared(guards, rows=GIVEN[1:])
    asked.held = HELD[1:]
    with pytest.raises(PlanDiffersError, match="no longer holds"):
        compared(guards)
    with pytest.raises(PlanDiffersError, match="no longer holds"):
        compared(guards, earlier(passed=True))
    assert compared(guards, earlier(begun=True)).replaced.rows == 2
    # Only a retry may find hours that are sent already.
    asked.held = [*GIVEN[:2], *HELD[2:]]
    assert compared(guards, earlier()).replaced.rows == 3
    with pytest.raises(PlanDiffersError, match="no longer holds"):
        compared(guards)
