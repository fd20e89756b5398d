from __future__ import annotations

import pytest
from support.rows import MARCH, bill_row, checked
from support.state_stores import Store

from cloudzero_provider.anycost.guards import earlier_attempt
from cloudzero_provider.anycost.guards.earlier_attempt import EarlierClearing, EarlierSending
from cloudzero_provider.anycost.guards.months import HeldMonth
from cloudzero_provider.anycost.guards.passed import PassedGuards
from cloudzero_provider.anycost.plan import Limits, Operation, make_plan

#: In another order than that of the hours, in which they are sent.
ROWS = [bill_row(1, hour, str(hour)) for hour in (2, 0, 1, 4, 3)]
IN_ORDER = sorted(ROWS, key=lambda row: row["time/usage_start"])


def held_month(rows):
    return HeldMonth.of(checked(rows).frame)


def attempt(operation=Operation.REPLACE_DROP, rows=ROWS, acknowledged=0, passed=None):
    """An earlier attempt to send one or two hours per request."""
    month = checked(rows)
    plan = make_plan(month, operation, Limits(max_body_bytes=200))
    assert [request.rows for request in plan.requests] == [2, 2, 1]
    return EarlierSending(month, plan, acknowledged, passed)


@pytest.mark.parametrize("operation", [Operation.REPLACE_DROP, Operation.REPLACE_HOURLY])
@pytest.mark.parametrize("rows", [ROWS, IN_ORDER])
def test_it_has_begun_if_exactly_its_first_requests_are_held(operation, rows):
    earlier = attempt(operation, rows)
    assert [earlier.has_begun(held_month(IN_ORDER[:count])) for count in (1, 2, 3, 4, 5)] == [
        False,
        True,
        False,
        True,
        True,
    ]
    assert earlier.has_begun(held_month(IN_ORDER[1::-1]))
    for other in (IN_ORDER[1:3], [*IN_ORDER, bill_row(2)], [IN_ORDER[0], bill_row(1, 1, "7")]):
        assert not earlier.has_begun(held_month(other))


@pytest.mark.parametrize(("acknowledged", "has_begun"), [(0, False), (1, True), (2, True)])
def test_the_journal_says_whether_a_sum_has_begun(acknowledged, has_begun):
    earlier = attempt(Operation.SUM, acknowledged=acknowledged)
    assert earlier.has_begun(held_month(IN_ORDER[:2])) is has_begun


@pytest.mark.parametrize(("passed", "held", "expected"), [
    (True, 1, True),
    (False, 2, False),
    (None, 2, True),
    (None, 1, False),
])  # fmt: skip
def test_what_is_held_shows_whether_it_passed_unless_that_is_known(monkeypatch, passed, held, expected):
    earlier, asked = attempt(passed=passed), []

    def read_held(*arguments):
        asked.append(arguments)
        return held_month(IN_ORDER[:held])

    monkeypatch.setattr(earlier_attempt, "read_held", read_held)
    assert earlier.passed_guards(held_month(IN_ORDER[:held])) is expected
    assert asked == []
    assert earlier.reads_and_passed_guards("client", "stream-1") is expected
    assert asked == ([] if passed is not None else [("client", "stream-1", MARCH, ["max_rows_ratio"])])


def test_an_empty_month_shows_that_it_was_emptied():
    for held, is_empty in ((ROWS[:1], False), ([], True)):
        month = HeldMonth.of(checked(held).frame) if held else HeldMonth.of(checked(ROWS).frame.clear())
        assert EarlierClearing().passed_guards(month) is is_empty
        assert EarlierClearing().has_begun(month) is is_empty


def test_airflow_remembers_that_guards_were_passed():
    store = Store()
    passed = PassedGuards(store)
    assert passed.by_earlier_attempt("rows") is False
    passed.record("rows")
    assert store == {"cloudzero_guards": {"rows": "rows"}}
    assert (passed.by_earlier_attempt("rows"), passed.by_earlier_attempt("others")) == (True, False)
    passed.forget()
    assert store == {"cloudzero_guards": {}}
    assert passed.by_earlier_attempt("rows") is False


def test_without_a_store_nothing_is_known():
    passed = PassedGuards()
    passed.record("rows")
    assert passed.by_earlier_attempt("rows") is None
    passed.forget()
