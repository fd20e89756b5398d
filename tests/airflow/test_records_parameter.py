"""Rows are resolved when the task runs: they are never rendered and never stored for the UI."""

from __future__ import annotations

import json

from airflow.providers.common.compat.sdk import AirflowFailException
from support.airflow_runs import run

from cloudzero_provider.exceptions import InputError

MONTH = "2026-03"


def services(sandbox) -> list[str | None]:
    return [row.get("resource/service") for row in sandbox.rows(MONTH)]


class TestNeverRendered:
    def test_rows_of_a_task_arrive_unrendered(self, dags, sandbox):
        outcome = run(dags["records_from_task"])
        assert outcome.state == "success"
        assert services(sandbox) == ["{{ 1/0 }}", "{{ var.value.not_there }}"]
        assert sandbox.rows(MONTH)[0]["lineitem/description"] == "{% raise %} {{ ds }} {# gone #}"

    def test_literal_rows_arrive_unrendered(self, dags, sandbox):
        assert run(dags["records_given"]).state == "success"
        assert services(sandbox) == ["{{ 1/0 }}", "{{ var.value.not_there }}"]

    def test_airflow_stores_a_count(self, dags):
        rendered = run(dags["records_given"]).rendered("send")
        assert rendered["records"] == "2 rows"
        assert rendered["month"] == MONTH
        assert "usage_start" not in json.dumps(rendered)

    def test_airflow_stores_no_rows_of_a_task(self, dags):
        rendered = run(dags["records_from_task"]).rendered("send")
        assert "resolved when the task runs" in rendered["records"]
        assert "usage_start" not in json.dumps(rendered)


class TestResolved:
    def test_the_upstream_task_comes_first(self, dags):
        assert dags["records_from_task"].get_task("send").upstream_task_ids == {"make"}
        assert dags["records_from_mapped_task"].get_task("send").upstream_task_ids == {"make"}

    def test_lists_of_a_mapped_task_are_concatenated(self, dags, sandbox):
        outcome = run(dags["records_from_mapped_task"])
        assert outcome.states["make"] == ["success"] * 3
        assert [row["time/usage_start"][8:10] for row in sandbox.rows(MONTH)] == ["01", "02", "03"]

    def test_none_is_an_error_that_is_not_retried(self, dags, sandbox):
        outcome = run(dags["records_none"])
        assert outcome.states["send"] == ["failed"]
        assert outcome.tries["send"] == 1
        [error] = outcome.errors["send"]
        assert isinstance(error, InputError)
        assert isinstance(error, AirflowFailException)
        assert "None" in str(error)
        assert "empty list" in str(error)
        assert sandbox.writes() == []

    def test_no_rows_skip_the_task(self, dags, sandbox):
        outcome = run(dags["records_empty"])
        assert outcome.states["send"] == ["skipped"]
        assert sandbox.writes() == []

    def test_airflows_xcom_turns_a_decimal_into_a_float(self, dags, sandbox):
        """Why the examples return costs as strings: Airflow's XCom does this, and this package can't prevent it."""
        assert run(dags["records_decimal"]).state == "success"
        assert sandbox.rows(MONTH)[0]["cost/cost"] == "0.12345678901234568"


class TestRetries:
    def test_a_bad_row_is_not_retried(self, dags, sandbox):
        outcome = run(dags["records_bad_row"])
        assert (outcome.state, outcome.tries["send"]) == ("failed", 1)
        [error] = outcome.errors["send"]
        assert isinstance(error, AirflowFailException)
        assert "row 2" in str(error)
        assert "12,50" in str(error)
        assert sandbox.writes() == []

    def test_a_retry_succeeds_after_an_outage(self, dags, sandbox):
        sandbox.faults({"kind": "refuse", "status": 503, "times": 2})
        outcome = run(dags["records_through_an_outage"])
        assert (outcome.state, outcome.tries["send"]) == ("success", 3)
        assert len(outcome.errors["send"]) == 2
        assert not any(isinstance(error, AirflowFailException) for error in outcome.errors["send"])
        assert [write["status"] for write in sandbox.writes()] == [503, 503, 200]
        assert sandbox.month(MONTH)["rows"] == 2

    def test_a_longer_outage_fails_the_task_after_its_retries(self, dags, sandbox):
        sandbox.faults({"kind": "refuse", "status": 503, "times": 3})
        outcome = run(dags["records_through_an_outage"])
        assert (outcome.state, outcome.tries["send"]) == ("failed", 3)
        assert sandbox.months() == {}

    def test_a_refused_key_is_not_retried(self, dags, sandbox):
        sandbox.faults({"kind": "refuse", "status": 403, "times": 3})
        outcome = run(dags["records_through_an_outage"])
        assert (outcome.state, outcome.tries["send"]) == ("failed", 1)
