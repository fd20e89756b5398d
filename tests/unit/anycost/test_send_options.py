from __future__ import annotations

import pytest

from cloudzero_provider.anycost.comparison.sums import NOTHING
from cloudzero_provider.anycost.guards.approved_plan import ApprovedPlan
from cloudzero_provider.anycost.guards.contents import Compared, ContentGuards
from cloudzero_provider.anycost.guards.cost_change import read_max_cost_change
from cloudzero_provider.anycost.guards.days import RequiredDays
from cloudzero_provider.anycost.plan import Operation
from cloudzero_provider.anycost.send_options import SendOptions
from cloudzero_provider.exceptions import ConfigurationError

PLAN = ApprovedPlan("stream-1", "2026-03", "sum", "", "", "", None, {})


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"min_rows_ratio": 2}, "min_rows_ratio is 2: expected a number, 0 (off) to 1."),
        ({"max_rows_ratio": 0.5}, "max_rows_ratio is 0.5: expected a number, at least 1."),
        ({"check_only": "no"}, "check_only is 'no': expected True or False."),
        ({"validate_with_cloudzero": "no"}, "validate_with_cloudzero is 'no': expected True or False."),
        ({"verify": "no"}, "verify is 'no': expected True or False."),
        ({"settle_from": "soon"}, "settle_from is 'soon': expected a number, a time of time.monotonic()."),
        (
            {"verify": True, "operation": Operation.SUM},
            "verify=True compares a month with what was sent, so it needs replace_drop or replace_hourly, not sum.",
        ),
        (
            {"contents": ContentGuards(approved=PLAN), "operation": Operation.SUM},
            "plan compares a month with what CloudZero held, so it needs replace_drop or replace_hourly, not sum.",
        ),
        (
            {"contents": ContentGuards(skip_unchanged=True), "operation": Operation.SUM},
            "skip_unchanged needs replace_drop or replace_hourly: sum always adds.",
        ),
        *(
            (
                {"required_days": RequiredDays.ALL, "operation": operation},
                "required_days needs replace_drop, which sends the whole month.",
            )
            for operation in (Operation.REPLACE_HOURLY, Operation.SUM)
        ),
    ],
)
def test_what_does_not_fit_together_is_an_error(wrong, error):
    with pytest.raises(ConfigurationError) as caught:
        SendOptions(**wrong)
    assert str(caught.value) == error


def test_what_fits_together():
    guards = ContentGuards(read_max_cost_change("30%"), skip_unchanged=True, report_changes=True, approved=PLAN)
    for operation in (Operation.REPLACE_DROP, Operation.REPLACE_HOURLY):
        SendOptions(operation, verify=True, contents=guards)
    SendOptions(Operation.REPLACE_DROP, required_days=RequiredDays.ALL)
    SendOptions(Operation.SUM, contents=ContentGuards(read_max_cost_change("30%"), report_changes=True))


@pytest.mark.parametrize("settle_from", [None, 0, 12.5])
@pytest.mark.parametrize("skip_unchanged", [True, False])
@pytest.mark.parametrize("is_equal", [True, False])
def test_only_a_first_attempt_skips_an_equal_month(settle_from, skip_unchanged, is_equal):
    options = SendOptions(settle_from=settle_from, contents=ContentGuards(skip_unchanged=skip_unchanged))
    is_first = settle_from is None
    assert options.is_first_attempt is is_first
    assert options.may_skip(Compared(NOTHING, NOTHING, is_equal)) is (is_first and skip_unchanged and is_equal)


def test_which_guards_compare_sizes():
    cost = ContentGuards(max_cost_change=read_max_cost_change(0))
    others = ContentGuards(skip_unchanged=True, report_changes=True)
    for options, compares in (
        ({}, False),
        ({"contents": others}, False),
        ({"contents": cost}, True),
        ({"max_rows_ratio": 2}, True),
        ({"max_rows_ratio": 2, "contents": cost}, True),
    ):
        assert SendOptions(**options).compares_sizes is compares
