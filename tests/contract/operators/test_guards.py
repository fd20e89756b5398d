"""Guards refuse before the first write, with both figures, and let everything else pass."""

from __future__ import annotations

import random
import time

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from support.rows import bill_row as row
from support.state_stores import Store
from support.tasks import connect, send

from cloudzero_provider import exceptions as errors

FULL_MONTH = [row(day=day, cost="10", **{"lineitem/id": f"line-{day}"}) for day in range(1, 32)]
#: A request of a few days.
BODY = 400


def changed(day: int, **values: str) -> list[dict[str, str]]:
    """The full month with other values on one day."""
    return [line | values if line["time/usage_start"][8:10] == f"{day:02d}" else line for line in FULL_MONTH]


def refused(error, *words: str, sandbox, **arguments) -> str:
    """Check that a task fails for good, that the error says why, and that nothing was sent."""
    writes = len(sandbox.writes())
    with pytest.raises(error) as caught:
        send(**arguments)
    assert isinstance(caught.value, (AirflowFailException, errors.GuardError))
    assert isinstance(caught.value, AirflowFailException)
    assert len(sandbox.writes()) == writes
    text = str(caught.value)
    assert [word for word in (*words, "nothing was sent") if word not in text] == []
    return text


class TestCost:
    @pytest.mark.parametrize(("limit", "cost"), [("30%", "103.1"), ("93", "103.1"), (93, "-83.1"), ("0", "10.1")])
    def test_a_larger_change_is_refused_with_both_figures(self, sandbox, limit, cost):
        send(records=FULL_MONTH)
        total = {"103.1": "403.1", "-83.1": "216.9", "10.1": "310.1"}[cost]
        words = ("the 310 that CloudZero holds", f"to {total}", f"max_cost_change='{limit}'")
        month = changed(5, **{"cost/cost": cost})
        refused(errors.CostWouldChangeError, *words, sandbox=sandbox, records=month, max_cost_change=limit)
        assert sandbox.total_cost() == 310

    @pytest.mark.parametrize(("limit", "cost"), [("30%", "103"), ("93", "103"), ("30.0 %", "-83"), (93.5, "103.5")])
    def test_as_large_a_change_as_is_allowed_passes(self, sandbox, limit, cost):
        send(records=FULL_MONTH)
        summary = send(records=changed(5, **{"cost/cost": cost}), max_cost_change=limit)
        assert (summary["replaced_rows"], summary["replaced_cost"]) == (31, "310")
        assert str(sandbox.total_cost()) == summary["total_cost"] == {"103": "403", "-83": "217"}.get(cost, "403.5")

    def test_a_month_that_is_not_held_yet_is_not_compared(self, sandbox):
        assert send(records=FULL_MONTH, max_cost_change="0%")["replaced_cost"] == "0"
        assert sandbox.total_cost() == 310

    def test_a_held_total_of_zero_or_below_has_its_absolute_value(self, sandbox):
        send(records=changed(5, **{"cost/cost": "-400"}))
        refused(
            errors.CostWouldChangeError, "the -100 that", sandbox=sandbox, records=FULL_MONTH, max_cost_change="409%"
        )
        send(records=FULL_MONTH, max_cost_change="410%")
        send(records=changed(5, **{"cost/cost": "-300"}))
        words = ("the 0 that CloudZero holds to 310, more than",)
        refused(errors.CostWouldChangeError, *words, sandbox=sandbox, records=FULL_MONTH, max_cost_change="1000%")

    def test_hours_that_are_not_replaced_stay_in_the_total(self, sandbox):
        send(records=FULL_MONTH)
        hour = {"records": [row(day=5, cost="40")], "operation": "replace_hourly"}
        refused(errors.CostWouldChangeError, "to 340 (+9.7%)", sandbox=sandbox, max_cost_change="9%", **hour)
        summary = send(max_cost_change="10%", **hour)
        assert (summary["replaced_cost"], sandbox.total_cost()) == ("10", 340)

    def test_what_a_sum_adds_is_compared(self, sandbox):
        send(records=FULL_MONTH)
        more = {"records": [row(day=5, cost="40")], "operation": "sum", "store": Store()}
        refused(errors.CostWouldChangeError, "to 350 (+12.9%)", sandbox=sandbox, max_cost_change="39", **more)

    def test_emptying_a_month_is_a_change(self, sandbox):
        send(records=FULL_MONTH)
        empty = {"records": [], "on_empty": "clear"}
        refused(errors.CostWouldChangeError, "to 0", "-100.0%", sandbox=sandbox, max_cost_change="99%", **empty)
        assert send(max_cost_change="100%", **empty)["replaced_cost"] == "310"
        assert sandbox.held() == []

    @pytest.mark.parametrize("wrong", ["", "30 percent", "-5", "1e3", "%", "nan", True, [30], "30%%"])
    def test_anything_else_is_refused_before_the_rows_are_read(self, sandbox, wrong):
        with pytest.raises(errors.ConfigurationError, match="max_cost_change is"):
            send(files="no-such-file.csv", max_cost_change=wrong)

    def test_a_key_that_may_not_read_the_month_is_an_error(self, sandbox, monkeypatch):
        send(records=FULL_MONTH)
        sandbox.faults({"kind": "refuse", "status": 403, "method": "GET", "month": "2026-03"})
        words = ("can't be compared (max_cost_change)",)
        refused(errors.AuthenticationError, *words, sandbox=sandbox, records=FULL_MONTH, max_cost_change="30%")


class TestDays:
    def test_a_month_without_some_days_is_refused(self, sandbox):
        month = [line for line in FULL_MONTH if line["time/usage_start"][8:10] not in ("07", "31")]
        words = ("2 days without rows: 2026-03-07, 2026-03-31",)
        refused(errors.MissingDaysError, *words, sandbox=sandbox, records=month, required_days="all")

    def test_a_whole_month_passes(self, sandbox):
        send(records=FULL_MONTH, required_days="all")
        assert len(sandbox.held()) == 31

    def test_a_check_looks_at_the_days_too(self, sandbox):
        month = FULL_MONTH[:4]
        words = ("27 days without rows", "and 22 more")
        refused(errors.MissingDaysError, *words, sandbox=sandbox, records=month, required_days="all", check_only=True)

    def test_a_month_is_not_emptied(self, sandbox):
        words = ("2026-03: 31 days without rows",)
        empty = {"records": [], "on_empty": "clear"}
        refused(errors.MissingDaysError, *words, sandbox=sandbox, required_days="all", **empty)

    def test_it_needs_the_whole_month(self, sandbox):
        with pytest.raises(errors.ConfigurationError, match="required_days needs replace_drop"):
            send(records=FULL_MONTH, required_days="all", operation="replace_hourly")


class TestUnchanged:
    def test_an_equal_month_in_another_order_is_not_sent(self, sandbox):
        first = send(records=FULL_MONTH)
        assert send(records=FULL_MONTH, skip_unchanged=True) == first | {
            "unchanged": True,
            "replaced_rows": 31,
            "replaced_cost": "310",
            "requests": 0,
            "bytes": 0,
            "drop_ids": [],
            "row_count": None,
        }
        shuffled = random.Random(1).sample(FULL_MONTH, 31)
        summary = send(records=shuffled, skip_unchanged=True)
        assert len(sandbox.writes()) == 1
        assert (summary["unchanged"], summary["rows"], summary["requests"], summary["replaced_rows"]) == (
            True,
            31,
            0,
            31,
        )

    def test_other_spellings_of_the_same_values_are_equal(self, sandbox):
        send(records=FULL_MONTH)
        spelled = [
            line | {"cost/cost": "10.00", "time/usage_start": line["time/usage_start"][:10]} for line in FULL_MONTH
        ]
        assert send(records=spelled, skip_unchanged=True)["unchanged"]

    def test_one_tag_of_one_row_is_a_change(self, sandbox):
        tagged = [line | {"resource/id": "a", "resource/tag:team": "red"} for line in FULL_MONTH]
        send(records=tagged)
        other = [*tagged[:30], tagged[30] | {"resource/tag:team": "blue"}]
        summary = send(records=other, skip_unchanged=True)
        assert (summary["unchanged"], summary["requests"]) == (False, 1)
        assert [line["resource/tag:team"] for line in sandbox.held()].count("blue") == 1

    def test_a_row_that_is_there_twice_is_a_change(self, sandbox):
        send(records=FULL_MONTH)
        assert not send(records=[*FULL_MONTH, FULL_MONTH[0]], skip_unchanged=True)["unchanged"]
        assert len(sandbox.held()) == 32

    def test_retries_and_cleared_tasks_always_send(self, sandbox):
        send(records=FULL_MONTH)
        assert not send(records=FULL_MONTH, skip_unchanged=True, try_number=2, retries=1)["unchanged"]
        assert not send(records=FULL_MONTH, skip_unchanged=True, try_number=2, max_tries=1)["unchanged"]
        assert len(sandbox.writes()) == 3

    def test_only_the_hours_that_would_be_sent_are_compared(self, sandbox):
        send(records=FULL_MONTH)
        hours = {"operation": "replace_hourly", "skip_unchanged": True}
        assert send(records=FULL_MONTH[3:9], **hours)["unchanged"]
        assert not send(records=changed(5, **{"cost/cost": "11"})[3:9], **hours)["unchanged"]
        assert sandbox.total_cost() == 311

    def test_a_month_that_is_empty_already_is_not_emptied(self, sandbox):
        summary = send(records=[], on_empty="clear", skip_unchanged=True)
        assert {name: summary[name] for name in ("rows", "requests", "bytes", "replaced_rows", "replaced_cost")} == {
            "rows": 0,
            "requests": 0,
            "bytes": 0,
            "replaced_rows": 0,
            "replaced_cost": "0",
        }
        assert summary["unchanged"]
        assert sandbox.writes() == []

    def test_sum_always_adds(self, sandbox):
        with pytest.raises(errors.ConfigurationError, match="skip_unchanged needs replace_drop or replace_hourly"):
            send(records=FULL_MONTH, operation="sum", skip_unchanged=True)

    def test_reads_that_lag_behind_may_hide_a_newer_month(self, sandbox):
        """Outside the guarantee: what CloudZero shows is what is compared."""
        send(records=FULL_MONTH)
        time.sleep(1.1)
        sandbox.settings(read_lag_seconds=1)
        try:
            send(records=changed(5, **{"cost/cost": "11"}), min_rows_ratio=0)
            assert send(records=FULL_MONTH, skip_unchanged=True, min_rows_ratio=0)["unchanged"]
        finally:
            sandbox.default_settings()
        assert sandbox.total_cost() == 311


def test_the_changes_are_logged(sandbox, caplog):
    send(records=FULL_MONTH)
    caplog.set_level("INFO", "cloudzero_provider")
    caplog.clear()
    summary = send(records=changed(5, **{"cost/cost": "11"})[1:], report_changes=True)
    assert summary["replaced_cost"] == "310"
    assert "2026-03: total cost 310 before, 301 after" in caplog.text


@pytest.mark.parametrize("guard", [{"max_rows_ratio": 1.5}, {"max_cost_change": "10%"}])
class TestRetries:
    def test_a_retry_completes_what_an_earlier_attempt_began(self, sandbox, guard):
        send(records=FULL_MONTH)
        sandbox.faults({"kind": "refuse", "status": 400, "path_contains": "billing_drops", "skip": 2})
        with pytest.raises(errors.RequestRejectedError):
            send(records=FULL_MONTH, max_body_bytes=BODY, **guard)
        sandbox.clear_faults()
        assert 0 < len(sandbox.held()) < 31 / 1.5
        send(records=FULL_MONTH, max_body_bytes=BODY, try_number=2, retries=1, **guard)
        assert len(sandbox.held()) == 31

    def test_a_retry_of_hours_in_a_month_that_was_empty(self, sandbox, guard):
        hours = {"records": FULL_MONTH, "operation": "replace_hourly", "max_body_bytes": BODY, **guard}
        sandbox.faults({"kind": "refuse", "status": 400, "path_contains": "billing_drops", "skip": 2})
        with pytest.raises(errors.RequestRejectedError):
            send(**hours)
        send(**hours, try_number=2, retries=1)
        assert len(sandbox.held()) == 31

    def test_a_retry_refuses_what_the_first_attempt_would_have_refused(self, sandbox, guard):
        send(records=FULL_MONTH)
        doubled = FULL_MONTH * 2
        with pytest.raises(errors.GuardError):
            send(records=doubled, max_body_bytes=BODY, try_number=2, retries=1, **guard)
        assert len(sandbox.held()) == 31


class TestRetriesThatAreRemembered:
    """With Airflow's task state store (3.3 and later), it is known whether an earlier attempt passed the guards."""

    def test_a_retry_after_an_attempt_that_never_came_so_far_is_compared(self, sandbox):
        """Yesterday's month to date is the beginning of today's."""
        send(records=FULL_MONTH[:4])
        absurd = [*FULL_MONTH[:4], FULL_MONTH[4] | {"cost/cost": "4000000"}]
        later = {"records": absurd, "max_body_bytes": BODY, "try_number": 2, "retries": 1, "store": Store()}
        for guard in ({"max_cost_change": "60%"}, {"max_rows_ratio": 1.2}):
            with pytest.raises(errors.GuardError):
                send(**later, **guard)
        assert sandbox.total_cost() == 40

    @pytest.mark.parametrize("operation", ["replace_drop", "replace_hourly"])
    @pytest.mark.parametrize("guard", [{"max_rows_ratio": 1.05}, {"max_cost_change": "5%"}])
    @pytest.mark.parametrize("try_number", [2, 1])
    def test_a_retry_completes_what_was_begun(self, sandbox, operation, guard, try_number):
        send(records=FULL_MONTH[:3])
        month = [*FULL_MONTH[:3], *({**line, "cost/cost": "0.1"} for line in FULL_MONTH[3:])]
        sending = {"records": month, "max_body_bytes": BODY, "operation": operation, "retries": 1, "store": Store()}
        loose = {name: "95%" if value == "5%" else 11 for name, value in guard.items()}
        sandbox.faults({"kind": "refuse", "status": 400, "path_contains": "billing_drops", "skip": 2})
        with pytest.raises(errors.RequestRejectedError):
            send(**sending, **loose)
        # Cleared (max_tries is higher then) or retried, it is compared no more, however strict the guard is.
        send(**sending, **guard, try_number=2, max_tries=try_number)
        assert len(sandbox.held()) == 31

    def test_a_retry_with_other_rows_is_compared(self, sandbox):
        send(records=FULL_MONTH[:30])
        sending = {"max_body_bytes": BODY, "retries": 1, "store": Store(), "min_rows_ratio": 0}
        sandbox.faults({"kind": "refuse", "status": 400, "path_contains": "billing_drops", "skip": 2})
        with pytest.raises(errors.RequestRejectedError):
            send(records=FULL_MONTH, max_cost_change="5%", **sending)
        sandbox.clear_faults()
        with pytest.raises(errors.CostWouldChangeError):
            send(records=changed(5, **{"cost/cost": "11"}), max_cost_change="5%", try_number=2, **sending)

    def test_other_rows_and_a_task_that_was_cleared_after_its_success_are_compared(self, sandbox):
        store, guard = Store(), {"max_cost_change": "5%"}
        send(records=FULL_MONTH, store=store, **guard)
        send(records=changed(5, **{"cost/cost": "500"}))
        with pytest.raises(errors.CostWouldChangeError):
            send(records=FULL_MONTH, store=store, try_number=2, max_tries=1, **guard)


def test_a_retry_of_a_sum_adds_what_is_left(sandbox, monkeypatch):
    send(records=FULL_MONTH)
    credit = [line | {"cost/cost": "-2.5"} for line in FULL_MONTH[:12]]
    adding = {"records": credit, "operation": "sum", "store": Store(), "retries": 1, "max_body_bytes": BODY}
    connect(monkeypatch, sandbox, max_retry_seconds=0)
    sandbox.faults({"kind": "refuse", "status": 429, "skip": 2})
    with pytest.raises(errors.RateLimitError):
        send(**adding, max_cost_change="9.7%")
    assert 31 < len(sandbox.held()) < 43
    # 30 are more than 9.7 % of what is held by now.
    send(**adding, max_cost_change="9.7%", try_number=2)
    assert (len(sandbox.held()), sandbox.total_cost()) == (43, 280)
