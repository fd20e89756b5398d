"""A plan writes nothing, and what was planned is what is sent."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSkipException
from support.rows import bill_row as row
from support.sandbox_server import STREAM
from support.tasks import context, send

from cloudzero_provider import exceptions as errors

SERVICES = ("Queue", "Storage", "Network")
HELD = [row(day, cost="10", **{"resource/service": SERVICES[day % 3], "lineitem/id": str(day)}) for day in range(1, 31)]
#: One row gone, one changed, one new.
GIVEN = [*HELD[:4], HELD[4] | {"cost/cost": "25.5"}, *HELD[6:], row(31, cost="3", **{"lineitem/id": "31"})]
BODY = 400
#: Has all keys of a plan.
WRONG = dict.fromkeys(
    [
        "anycost_connection_id",
        "month",
        "operation",
        "rows",
        "rows_sha256",
        "totals",
        "held",
        "held_sha256",
        "held_by_hour",
    ]
) | {"held": 5, "totals": {}, "rows": 1}


def plan(**arguments: Any) -> dict[str, Any]:
    """Run a planning task once."""
    from cloudzero_provider.operators.plan import AnyCostBillingDropPlanOperator

    task = AnyCostBillingDropPlanOperator(task_id="plan", **{"month": "2026-03", **arguments})
    return task.execute(context(task))


def refused(sandbox, *words: str, **arguments: Any) -> None:
    writes = len(sandbox.writes())
    with pytest.raises(errors.PlanDiffersError) as error:
        send(**arguments)
    assert isinstance(error.value, AirflowFailException)
    assert [word for word in (*words, "nothing was sent") if word not in str(error.value)] == []
    assert len(sandbox.writes()) == writes


@pytest.fixture
def held(sandbox):
    """A sandbox that holds a month."""
    send(records=HELD)
    return sandbox


class TestReport:
    def test_it_writes_nothing_and_has_both_figures(self, held):
        report = plan(records=GIVEN)
        assert len(held.posts()) == 1
        assert (report["month"], report["anycost_connection_id"], report["operation"]) == (
            "2026-03",
            STREAM,
            "replace_drop",
        )
        assert (report["rows"], report["total_cost"], report["held"]["rows"]) == (30, "308.5", 30)
        assert report["held"]["totals"] == {"cost/cost": "300"}
        changes = report["changes"]
        assert (changes["added"], changes["removed"], changes["changed"], changes["unchanged"]) == (1, 1, 1, 28)
        assert [
            (day["day"], day["cost_before"], day["cost_after"])
            for day in changes["by_day"]
            if day["cost_change"] != "0"
        ] == [
            ("2026-03-05", "10", "25.5"),
            ("2026-03-06", "10", "0"),
            ("2026-03-31", "0", "3"),
        ]
        assert report["days_without_rows"] == ["2026-03-06"]
        assert "300 → 30 rows, cost 308.5 (+8.5, +2.8%)" in report["markdown"]

    def test_another_column_of_the_users_choice(self, held):
        report = plan(records=GIVEN, by="lineitem/id")
        assert {one["value"] for one in report["changes"]["by_value"][:3]} == {"5", "6", "31"}

    def test_a_month_that_is_not_held_yet(self, sandbox):
        report = plan(records=GIVEN)
        assert (report["held"], report["changes"]["added"], report["held_problem"]) == (None, 30, None)

    def test_an_equal_month_is_unchanged(self, held):
        assert plan(records=HELD[::-1])["unchanged"]
        assert not plan(records=GIVEN)["unchanged"]

    def test_hours_that_are_not_sent_are_kept(self, held):
        report = plan(records=[HELD[0] | {"cost/cost": "11"}], operation="replace_hourly")
        assert (report["kept"]["rows"], report["becomes"]["totals"]["cost/cost"], report["changes"]["changed"]) == (
            29,
            "301",
            1,
        )

    @pytest.mark.parametrize("operation", ["replace_hourly", "sum"])
    def test_only_a_whole_month_can_be_emptied(self, held, operation):
        with pytest.raises(errors.ConfigurationError, match=r"needs operation='replace_drop'"):
            plan(records=[], on_empty="clear", operation=operation)

    @pytest.mark.parametrize(("operation", "after"), [("replace_hourly", "11"), ("sum", "21")])
    def test_days_and_services_are_shown_with_what_stays(self, held, operation, after):
        report = plan(records=[HELD[0] | {"cost/cost": "11"}], operation=operation)
        days = {day["day"]: (day["cost_before"], day["cost_after"]) for day in report["changes"]["by_day"]}
        assert (days["2026-03-01"], days["2026-03-02"]) == (("10", after), ("10", "10"))
        services = {one["value"]: (one["cost_before"], one["cost_after"]) for one in report["changes"]["by_value"]}
        assert services["Queue"] == ("100", "100")
        assert services["Storage"] == ("100", {"11": "101", "21": "111"}[after])

    def test_emptying_a_month(self, held):
        report = plan(records=[], on_empty="clear")
        assert (report["rows"], report["changes"]["removed"], report["becomes"]["rows"]) == (0, 30, 0)
        with pytest.raises(AirflowSkipException):
            plan(records=[])

    def test_a_key_that_may_not_read_the_month_is_said_plainly(self, held):
        held.faults({"kind": "refuse", "status": 403, "method": "GET", "month": "2026-03"})
        report = plan(records=GIVEN)
        assert (report["held"], report["changes"], report["held_sha256"]) == (None, None, None)
        assert "could not be read, so nothing is compared" in report["held_problem"]
        assert "connections:read_billing_anycost_billing_drops_month" in report["held_problem"]
        assert report["held_problem"][:40] in report["markdown"]
        refused(held, "the plan could not read what CloudZero held", records=GIVEN, plan=report)

    def test_a_key_that_is_not_known_at_all_is_an_error(self, held):
        held.faults({"kind": "refuse", "status": 401, "method": "GET", "month": "2026-03"})
        with pytest.raises(errors.AuthenticationError):
            plan(records=GIVEN)

    def test_the_report_as_a_file(self, held, tmp_path: Path):
        path = tmp_path / "reports" / "2026-03.md"
        report = plan(records=GIVEN, report_file=str(path))
        assert path.read_text().rstrip() == report["markdown"].rstrip()
        plan(records=GIVEN, report_file=path.as_uri())

    @pytest.mark.parametrize(
        "wrong", ["report.txt", "", "report", "nope://x/report.md", "s3://no_such@bucket/report.md"]
    )
    def test_another_ending_is_refused_before_the_rows_are_read(self, sandbox, wrong):
        with pytest.raises(errors.ConfigurationError, match="report"):
            plan(files="no-such-file.csv", report_file=wrong)

    def test_bad_rows_fail_as_when_sending(self, held):
        with pytest.raises(errors.InvalidRowsError, match="column 'cost/cost', value '1,5'"):
            plan(records=[row(cost="1,5")])


class TestApproved:
    def test_what_was_planned_is_sent_in_any_order(self, held):
        report = plan(records=GIVEN)
        summary = send(records=random.Random(2).sample(GIVEN, 30), plan=report)
        assert (summary["rows"], summary["replaced_cost"]) == (30, "300")
        assert str(held.total_cost()) == "308.5"

    def test_other_rows_are_refused(self, held):
        report = plan(records=GIVEN)
        words = (
            "30 rows with a total cost of 308.5 then",
            "29 rows with a total cost of 305.5 now",
            "Plan again in a new run",
        )
        refused(held, "the rows are not those of the plan", *words, records=GIVEN[:-1], plan=report)
        assert held.total_cost() == 300

    def test_another_month_at_cloudzero_is_refused(self, held):
        report = plan(records=GIVEN)
        send(records=HELD[:29])
        words = ("30 rows with a total cost of 300 then", "29 rows with a total cost of 290 now")
        refused(held, "CloudZero no longer holds what the plan was compared with", *words, records=GIVEN, plan=report)
        assert held.total_cost() == 290

    @pytest.mark.parametrize(
        "other",
        [{"operation": "replace_hourly"}, {"anycost_connection_id": STREAM.replace("1", "2")}, {"month": "2026-04"}],
    )
    def test_another_target_is_refused(self, held, other):
        report = plan(records=GIVEN)
        rows = [line | {"time/usage_start": "2026-04-01"} for line in GIVEN] if "month" in other else GIVEN
        refused(held, "The plan is for 2026-03 to AnyCost stream", records=rows, plan=report, **other)

    def test_other_hours_may_change_meanwhile(self, held):
        hours = {"records": [HELD[0] | {"cost/cost": "11"}], "operation": "replace_hourly"}
        report = plan(**hours)
        send(records=[HELD[9] | {"cost/cost": "12"}], operation="replace_hourly")
        send(**hours, plan=report)
        assert held.total_cost() == 303
        refused(held, "no longer holds", **hours, plan=report)

    def test_emptying_is_approved_too(self, held):
        report = plan(records=[], on_empty="clear")
        refused(held, "the rows are not those of the plan", records=GIVEN, plan=report)
        send(records=[], on_empty="clear", plan=report)
        assert held.held() == []
        # It is empty already: another task may have done that, or an earlier attempt of this one.
        refused(held, "no longer holds", records=[], on_empty="clear", plan=report)
        assert send(records=[], on_empty="clear", plan=report, try_number=2, retries=1)["rows"] == 0

    def test_a_retry_completes_what_an_earlier_attempt_began(self, held):
        report = plan(records=GIVEN, max_body_bytes=BODY)
        assert report["requests"] > 3
        assert report["limits"]["max_body_bytes"] == BODY
        held.faults({"kind": "refuse", "status": 400, "path_contains": "billing_drops", "skip": 2})
        with pytest.raises(errors.RequestRejectedError):
            send(records=GIVEN, plan=report, max_body_bytes=BODY)
        assert 0 < len(held.held()) < 30
        refused(held, "no longer holds", records=GIVEN, plan=report, max_body_bytes=BODY)
        send(records=GIVEN, plan=report, max_body_bytes=BODY, try_number=2, retries=1)
        assert str(held.total_cost()) == "308.5"

    @pytest.mark.parametrize("before", [HELD, []])
    def test_a_retry_completes_hours_that_an_earlier_attempt_began(self, sandbox, before):
        if before:
            send(records=before)
        hours = {"records": GIVEN, "operation": "replace_hourly", "max_body_bytes": BODY}
        report = plan(**hours)
        sandbox.faults({"kind": "refuse", "status": 400, "path_contains": "billing_drops", "skip": 2})
        with pytest.raises(errors.RequestRejectedError):
            send(**hours, plan=report)
        refused(sandbox, "no longer holds", **hours, plan=report)
        send(**hours, plan=report, try_number=2, retries=1)
        # replace_hourly keeps the hour that is not sent.
        assert str(sandbox.total_cost()) == ("318.5" if before else "308.5")

    def test_a_retry_refuses_hours_that_another_one_changed(self, held):
        hours = {"records": GIVEN, "operation": "replace_hourly"}
        report = plan(**hours)
        send(records=[HELD[9] | {"cost/cost": "12"}], operation="replace_hourly")
        refused(held, "no longer holds", **hours, plan=report, try_number=2, retries=1)

    def test_a_retry_of_emptying_a_month(self, held):
        report = plan(records=[], on_empty="clear")
        empty = {"records": [], "on_empty": "clear", "plan": report}
        send(**empty)
        refused(held, "no longer holds", **empty)
        send(**empty, try_number=2, retries=1)
        assert held.held() == []

    def test_a_cleared_task_sends_again(self, held):
        report = plan(records=GIVEN)
        send(records=GIVEN, plan=report)
        send(records=GIVEN, plan=report, try_number=2, max_tries=1)
        assert len(held.writes()) == 3

    def test_a_retry_refuses_a_month_that_another_one_changed(self, held):
        report = plan(records=GIVEN, max_body_bytes=BODY)
        send(records=HELD[:29])
        refused(held, "no longer holds", records=GIVEN, plan=report, max_body_bytes=BODY, try_number=2, retries=1)

    def test_sum_is_not_compared(self, held):
        report = plan(records=GIVEN, operation="sum")
        with pytest.raises(errors.ConfigurationError, match=r"plan .* needs replace_drop or replace_hourly"):
            send(records=GIVEN, operation="sum", plan=report)

    @pytest.mark.parametrize(
        ("wrong", "why"),
        [
            ({"month": "2026-03"}, "without anycost_connection_id"),
            ("yes", r"\(str\)"),
            ([], r"\(list\)"),
            (WRONG, r"\(TypeError\)"),
        ],
    )
    def test_anything_else_is_not_a_plan(self, sandbox, wrong, why):
        with pytest.raises(errors.ConfigurationError, match=why):
            send(records=GIVEN, plan=wrong)
