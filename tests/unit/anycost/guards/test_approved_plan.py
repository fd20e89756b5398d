from __future__ import annotations

import pytest
from support.rows import MARCH, bill_row, checked

from cloudzero_provider.anycost.comparison.report import plan_report
from cloudzero_provider.anycost.guards.approved_plan import ApprovedPlan
from cloudzero_provider.anycost.guards.months import GivenMonth, HeldMonth
from cloudzero_provider.anycost.plan import Limits, Operation, empty_plan, make_plan
from cloudzero_provider.exceptions import ConfigurationError, InputError, PlanDiffersError

HELD = [bill_row(1, 0, "1"), bill_row(1, 1, "2"), bill_row(2, 0, "4")]
GIVEN = [bill_row(1, 0, "10"), bill_row(1, 1, "20.5")]
PLAN_AGAIN = "Plan again in a new run, and have that plan approved."


def planned(operation=Operation.REPLACE_DROP, given=GIVEN, held=HELD, **options):
    """What the planning operator returns."""
    rows = checked(given)
    before = checked(held).frame if held else None
    return plan_report(make_plan(rows, operation), "stream-1", Limits(), rows.frame, before, **options).as_dict()


def given_month(rows=GIVEN, operation=Operation.REPLACE_DROP, stream="stream-1"):
    month = checked(rows)
    return GivenMonth.of_plan(stream, month, make_plan(month, operation))


def held_month(rows=HELD):
    return HeldMonth.of(checked(rows).frame)


def test_what_a_plan_says():
    report = planned(Operation.REPLACE_HOURLY)
    assert ApprovedPlan.parse(report) == ApprovedPlan(
        anycost_connection_id="stream-1",
        month="2026-03",
        operation="replace_hourly",
        described="2 rows with a total cost of 30.5",
        rows_sha256=report["rows_sha256"],
        held_described="3 rows with a total cost of 7",
        held_sha256=report["held_sha256"],
        held_by_hour=report["held_by_hour"],
    )
    assert len(report["held_by_hour"]) == 2


def test_a_plan_of_and_for_nothing():
    report = planned(held=None) | {"totals": {}}
    plan = ApprovedPlan.parse(report)
    assert (plan.described, plan.held_described, plan.held_by_hour) == (
        "2 rows with a total cost of 0",
        "0 rows with a total cost of 0",
        {},
    )
    without_cost = report | {"held": {"rows": 1, "totals": {"cost/amortized_cost": "2"}}}
    assert ApprovedPlan.parse(without_cost).held_described == "1 row with a total cost of 0"


def test_no_plan_is_an_input_error():
    with pytest.raises(InputError) as error:
        ApprovedPlan.parse(None)
    assert str(error.value) == (
        "plan has no value, so nothing was sent: was the AnyCostBillingDropPlanOperator skipped?"
    )


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ("yes", "str"),
        ({name: 1 for name in planned() if name not in ("month", "held_by_hour")}, "without month, held_by_hour"),
        (
            {},
            "without anycost_connection_id, month, operation, rows, rows_sha256, totals, held, held_sha256, held_by_hour",
        ),
        (planned() | {"totals": "much"}, "AttributeError"),
        (planned() | {"held": {"totals": {}}}, "KeyError"),
        (planned() | {"held": [1]}, "TypeError"),
        (planned() | {"held_by_hour": "text"}, "ValueError"),
    ],
)
def test_anything_else_is_not_a_plan(wrong, why):
    with pytest.raises(ConfigurationError) as error:
        ApprovedPlan.parse(wrong)
    assert str(error.value) == f"plan is not what AnyCostBillingDropPlanOperator returns ({why}); nothing was sent."


@pytest.mark.parametrize(
    ("other", "target"),
    [
        ({"stream": "stream-2"}, "2026-03 to AnyCost stream stream-2 (replace_drop)"),
        ({"operation": Operation.REPLACE_HOURLY}, "2026-03 to AnyCost stream stream-1 (replace_hourly)"),
    ],
)
def test_another_target_is_refused(other, target):
    with pytest.raises(PlanDiffersError) as error:
        ApprovedPlan.parse(planned()).check_given(given_month(**other))
    assert str(error.value) == (
        "The plan is for 2026-03 to AnyCost stream stream-1 (replace_drop), but this task sends "
        f"{target}; nothing was sent. Give both tasks the same parameters."
    )


def test_other_rows_are_refused_and_the_same_in_another_order_are_not():
    plan = ApprovedPlan.parse(planned())
    plan.check_given(given_month(GIVEN[::-1]))
    with pytest.raises(PlanDiffersError) as error:
        plan.check_given(given_month(GIVEN[:1]))
    assert str(error.value) == (
        "2026-03: the rows are not those of the plan: 2 rows with a total cost of 30.5 then, 1 row with a total cost of "
        f"10 now; nothing was sent. {PLAN_AGAIN}"
    )


@pytest.mark.parametrize("is_first_attempt", [True, False])
def test_another_month_at_cloudzero_is_refused(is_first_attempt):
    plan = ApprovedPlan.parse(planned())
    plan.check_held(held_month(HELD[::-1]), given_month(), is_first_attempt=is_first_attempt)
    for other in (HELD[:2], GIVEN):
        with pytest.raises(PlanDiffersError) as error:
            plan.check_held(held_month(other), given_month(), is_first_attempt=is_first_attempt)
        now = held_month(other)
        assert str(error.value) == (
            "2026-03: CloudZero no longer holds what the plan was compared with: 3 rows with a total cost of 7 then, "
            f"{now} now; nothing was sent. Another task, or an earlier attempt of this one, may have sent something "
            f"since. {PLAN_AGAIN}"
        )


def test_a_plan_without_the_held_month_is_refused():
    plan = ApprovedPlan.parse(planned(held=None, held_problem="The key may not read it."))
    with pytest.raises(PlanDiffersError) as error:
        plan.check_held(held_month(), given_month(), is_first_attempt=True)
    assert str(error.value) == (
        "2026-03: the plan could not read what CloudZero held, so it can't be compared with what it holds now; nothing "
        f"was sent. {PLAN_AGAIN}"
    )


@pytest.mark.parametrize(
    ("now", "fits"),
    [
        ([GIVEN[0], *HELD[1:]], True),
        ([HELD[0], GIVEN[1]], True),
        (GIVEN, True),
        # An hour is empty, or has other rows.
        ([HELD[1]], False),
        ([GIVEN[0], bill_row(1, 1, "3")], False),
        ([*GIVEN, HELD[0]], False),
    ],
)
def test_a_retry_may_find_some_hours_replaced(now, fits):
    plan, given = ApprovedPlan.parse(planned(Operation.REPLACE_HOURLY)), given_month(operation=Operation.REPLACE_HOURLY)
    with pytest.raises(PlanDiffersError):
        plan.check_held(held_month(now), given, is_first_attempt=True)
    if fits:
        plan.check_held(held_month(now), given, is_first_attempt=False)
        return
    with pytest.raises(PlanDiffersError):
        plan.check_held(held_month(now), given, is_first_attempt=False)


def test_an_hour_that_was_empty_may_still_be():
    held, given = HELD[:1], given_month(operation=Operation.REPLACE_HOURLY)
    plan = ApprovedPlan.parse(planned(Operation.REPLACE_HOURLY, held=held))
    plan.check_held(held_month([GIVEN[0]]), given, is_first_attempt=False)


def test_emptying_is_approved_too():
    nothing = GivenMonth.of_nothing("stream-1", MARCH)
    report = plan_report(empty_plan(MARCH), "stream-1", Limits(), nothing.frame, checked(HELD).frame).as_dict()
    plan = ApprovedPlan.parse(report)
    plan.check_given(nothing)
    plan.check_held(held_month(), nothing, is_first_attempt=True)
    with pytest.raises(PlanDiffersError):
        plan.check_given(given_month())
