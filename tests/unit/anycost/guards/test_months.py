from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

import polars as pl
import pytest
from support.rows import MARCH, bill_row, checked

from cloudzero_provider.anycost.comparison.contents import contents_sha256
from cloudzero_provider.anycost.comparison.sums import RowsAndCost
from cloudzero_provider.anycost.guards import months
from cloudzero_provider.anycost.guards.months import GivenMonth, HeldMonth, read_held
from cloudzero_provider.anycost.plan import Operation, make_plan
from cloudzero_provider.exceptions import AuthenticationError, MonthNotFoundError, UnexpectedReplyError

ROWS = [bill_row(1, 0, "1.50"), bill_row(1, 1, "2"), bill_row(2, 0, "4")]
CLIENT = SimpleNamespace()


def read_as(monkeypatch, result):
    """Make the month what is read, and note what it was read with."""
    asked = []

    def read_month(*arguments):
        asked.append(arguments)
        if isinstance(result, Exception):
            raise result
        return result

    monkeypatch.setattr(months, "read_month", read_month)
    return asked


def test_what_a_plan_sends():
    rows = checked(ROWS)
    given = GivenMonth.of_plan("stream-1", rows, make_plan(rows, Operation.REPLACE_HOURLY))
    assert (given.anycost_connection_id, given.month, given.operation) == ("stream-1", MARCH, Operation.REPLACE_HOURLY)
    assert given.hours == ("2026-03-01T00:00:00Z", "2026-03-01T01:00:00Z", "2026-03-02T00:00:00Z")
    assert given.total == RowsAndCost(3, Decimal("7.5"))
    assert given.frame.equals(rows.frame)
    assert given.sha256 == contents_sha256(rows.frame)
    assert str(given) == "3 rows with a total cost of 7.5"


def test_emptying_sends_nothing():
    given = GivenMonth.of_nothing("stream-1", MARCH)
    assert (given.anycost_connection_id, given.month, given.operation) == ("stream-1", MARCH, Operation.REPLACE_DROP)
    assert (given.hours, given.total, given.frame.shape) == ((), RowsAndCost(), (0, 0))
    assert str(given) == "0 rows with a total cost of 0"


def test_what_is_held_is_canonical():
    held = HeldMonth.of(pl.DataFrame({"cost/cost": ["1.50"], "resource/id": [""]}))
    assert held.frame.to_dicts() == [{"cost/cost": "1.5"}]
    assert held.total == RowsAndCost(1, Decimal("1.5"))
    assert held.sha256 == contents_sha256(held.frame)
    assert str(held) == "1 row with a total cost of 1.5"
    with pytest.raises(UnexpectedReplyError):
        HeldMonth.of(pl.DataFrame({"cost/cost": ["much"]}))


@pytest.mark.parametrize(
    ("operation", "replaced"), [("replace_drop", ROWS), ("replace_hourly", ROWS[1:2]), ("sum", [])]
)
def test_what_is_replaced(operation, replaced):
    rows = checked([bill_row(1, 1, "9")])
    given = GivenMonth.of_plan("stream-1", rows, make_plan(rows, Operation(operation)))
    found = HeldMonth.of(checked(ROWS).frame).replaced_by(given)
    assert found.total == RowsAndCost(len(replaced), sum((Decimal(row["cost/cost"]) for row in replaced), Decimal(0)))
    assert [row["time/usage_start"] for row in found.frame.to_dicts()] == [row["time/usage_start"] for row in replaced]


def test_reading_what_is_held(monkeypatch):
    asked = read_as(monkeypatch, checked(ROWS).frame)
    held = read_held(CLIENT, "stream-1", MARCH, ["plan"])
    assert held.total == RowsAndCost(3, Decimal("7.5"))
    assert asked == [(CLIENT, "stream-1", MARCH)]
    read_as(monkeypatch, MonthNotFoundError("no"))
    held = read_held(CLIENT, "stream-1", MARCH, ["plan"])
    assert (held.total, held.frame.shape) == (RowsAndCost(), (0, 0))


@pytest.mark.parametrize("error", [AuthenticationError("No.", 403), UnexpectedReplyError("No.")])
def test_a_month_that_can_not_be_read(monkeypatch, error):
    read_as(monkeypatch, error)
    with pytest.raises(type(error)) as caught:
        read_held(CLIENT, "stream-1", MARCH, ["max_cost_change", "plan"])
    assert caught.value is error
    assert str(error) == ("No. So what CloudZero holds can't be compared (max_cost_change, plan); nothing was sent.")
