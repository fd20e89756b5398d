"""Rows from decorated functions: they go to CloudZero without XCom, and all else is as in any TaskFlow task."""

from __future__ import annotations

from fractions import Fraction

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from support import airflow_lines as lines
from support.airflow_lines import NO_TASK_STATE_STORE, TASK_STATE_STORE
from support.airflow_runs import cleared_and_chosen, run
from support.sandbox_server import STREAM
from support.telemetry_streams import records, stream

from cloudzero_provider.exceptions import AmbiguousWriteError, InputError

MONTH = "2026-03"
CONF = {"stream": STREAM, "month": "2026-02", "day": "3", "cost": "7.5"}
MONTHS = {"months": ["2026-01", "2026-02"]}
VALUES = [2**day for day in range(1, 21)]


def totals(sandbox) -> dict[str, Fraction]:
    return {month: Fraction(held["total_cost"]) for month, held in sandbox.months().items()}


class TestStraightToCloudZero:
    def test_rows_arrive_unrendered(self, dags, sandbox):
        assert run(dags["function_yields"]).state == "success"
        assert [row["resource/service"] for row in sandbox.rows(MONTH)] == ["{{ 1/0 }}", "{{ var.value.not_there }}"]
        assert sandbox.rows(MONTH)[0]["lineitem/description"] == "{% raise %} {{ ds }} {# gone #}"

    @pytest.mark.parametrize("dag_id", ["function_yields", "function_of_dicts"])
    def test_only_the_summary_goes_to_xcom(self, dags, dag_id):
        outcome = run(dags[dag_id], run_conf={"month": MONTH})
        assert outcome.xcom("send")["month"] == MONTH
        xcoms = outcome.xcoms()
        keys = {key for _, key in xcoms if not key.startswith("_link")}
        assert keys == {"return_value", "cloudzero_claim"}
        assert not any("usage_start" in value for value in xcoms.values())

    @pytest.mark.parametrize("dag_id", ["function_yields", "function_of_dicts"])
    def test_rendered_fields_hold_no_rows(self, dags, dag_id):
        rendered = run(dags[dag_id], run_conf={"month": MONTH}).rendered("send")
        shown = {
            "op_args": [],
            "op_kwargs": {},
            "cloudzero_conn_id": "cloudzero_default",
            "anycost_connection_id": None,
            "month": MONTH,
            "replace_in_same_run": False,
        }
        assert shown.items() <= rendered.items()
        assert rendered.keys().isdisjoint(("records", "files", "sql", "sql_conn_id"))
        assert "usage_start" not in str(rendered)


class TestArguments:
    def test_from_upstream_tasks_templates_and_the_context(self, dags, sandbox):
        dag = dags["function_arguments"]
        assert dag.get_task("outer.send").upstream_task_ids == {"outer.accounts"}
        assert run(dag, run_conf=CONF).state == "success"
        assert [
            (row["time/usage_start"][:10], row["cost/cost"], row["resource/account"], row["resource/service"])
            for row in sandbox.rows("2026-02")
        ] == [
            ("2026-02-03", "7.5", "112233", "outer.send bill.sql"),
            ("2026-02-03", "7.5", "445566", "outer.send bill.sql"),
            ("2026-02-07", "7.5", "112233", "outer.send bill.sql"),
            ("2026-02-07", "7.5", "445566", "outer.send bill.sql"),
        ]

    def test_what_airflow_shows(self, dags):
        shown = {
            "op_args": [["112233", "445566"], "3", 7],
            "op_kwargs": {"cost": "7.5", "query": "bill.sql"},
            "cloudzero_conn_id": "cloudzero_default",
            "anycost_connection_id": STREAM,
            "month": "2026-02",
            "replace_in_same_run": False,
        }
        assert shown.items() <= run(dags["function_arguments"], run_conf=CONF).rendered("outer.send").items()


class TestMapped:
    def test_over_months(self, dags, sandbox):
        outcome = run(dags["function_mapped"], run_conf=MONTHS)
        assert outcome.state == "success"
        assert totals(sandbox) == {
            "2023-01": 6,
            "2023-02": 6,
            "2024-01": 2,
            "2024-02": 2,
            "2025-01": 2,
            "2025-02": 4,
            "2026-01": 5,
            "2026-02": 5,
        }
        for task_id in ("send", "send_pairs", "each.send"):
            assert [summary["rows"] for summary in outcome.xcom(task_id)] == [2, 2]
        assert not any("usage_start" in value for value in outcome.xcoms().values())

    def test_the_scheduler_runs_one_instance_at_a_time(self, dags):
        dag = dags["function_mapped"]
        tasks = ("send", "send_pairs", "send_side_by_side", "each.send")
        chosen = cleared_and_chosen(dag, run(dag, run_conf=MONTHS), *tasks)
        assert chosen == {"send": 1, "send_pairs": 1, "send_side_by_side": 2, "each.send": 1}


class TestRetries:
    def test_a_retry_succeeds_after_an_error_behind_a_thousand_rows(self, dags, sandbox):
        outcome = run(dags["function_fails_late"])
        assert (outcome.state, outcome.tries["send"]) == ("success", 2)
        [error] = outcome.errors["send"]
        assert (type(error), error.args) == (KeyError, ("page 11",))
        assert [write["status"] for write in sandbox.writes()] == [200]
        assert sandbox.month(MONTH)["rows"] == 1_000

    def test_none_is_an_error_that_is_not_retried(self, dags, sandbox):
        outcome = run(dags["function_none"])
        assert (outcome.state, outcome.tries["send"]) == ("failed", 1)
        [error] = outcome.errors["send"]
        assert isinstance(error, InputError)
        assert isinstance(error, AirflowFailException)
        assert "send() returned None" in str(error)
        assert sandbox.writes() == []


class TestSum:
    @pytest.fixture
    def calls(self, dags):
        """How often the function was called."""
        calls = dags["function_adds"].get_task("send").python_callable.__globals__["CALLS"]
        calls.clear()
        return calls

    def held(self, sandbox) -> list[int]:
        return sorted(int(row["cost/cost"]) for row in sandbox.rows(MONTH))

    @TASK_STATE_STORE
    def test_a_retry_leaves_out_what_was_acknowledged(self, dags, sandbox, calls):
        sandbox.faults({"kind": "refuse", "status": 429, "skip": 3})
        outcome = run(dags["function_adds"])
        assert (outcome.state, outcome.tries["send"]) == ("success", 2)
        assert calls == {"function_adds": 2}
        assert self.held(sandbox) == VALUES

    @NO_TASK_STATE_STORE
    def test_a_retry_is_refused_before_the_function_is_called_again(self, dags, sandbox, calls):
        sandbox.faults({"kind": "refuse", "status": 429, "skip": 3})
        outcome = run(dags["function_adds"])
        assert (outcome.state, outcome.tries["send"]) == ("failed", 2)
        assert isinstance(outcome.errors["send"][-1], AmbiguousWriteError)
        assert calls == {"function_adds": 1}
        assert set(self.held(sandbox)) < set(VALUES)


class TestTelemetry:
    @pytest.fixture
    def outcome(self, dags):
        outcome = run(dags["function_measures"], run_conf={"stream": "writes", "day": "2026-03-04"})
        assert outcome.state == "success"
        return outcome

    def test_records_arrive(self, outcome, sandbox):
        assert records(sandbox, "writes") == [("2026-03-04", "Email", {}, "1"), ("2026-03-04", "Search", {}, "2")]
        assert outcome.xcom("send")["total"] == stream(sandbox, "writes")["total"] == "3"

    def test_what_airflow_shows(self, outcome, dags, sandbox):
        shown = {
            "op_args": [["Email", "Search"]],
            "op_kwargs": {},
            "cloudzero_conn_id": "cloudzero_default",
            "stream_name": "writes",
            "granularity": "DAILY",
            "month": MONTH,
            "replace_in_same_run": False,
        }
        assert shown.items() <= outcome.rendered("send").items()
        link = lines.link(dags["function_measures"], outcome.run_id, "send", "CloudZero telemetry streams")
        assert link == f"{sandbox.url}/"
        [event] = lines.asset_events("cloudzero-function", outcome.run_id)
        assert (event["records"], event["total"], event["month"]) == (2, "3", MONTH)
