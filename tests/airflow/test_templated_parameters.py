"""Templated switches and numbers: what a template renders to is read strictly."""

from __future__ import annotations

import pytest
import requests
from airflow.providers.common.compat.sdk import AirflowFailException
from support.airflow_runs import run
from support.telemetry_streams import records

from cloudzero_provider.exceptions import ConfigurationError, MonthWouldShrinkError

MONTH = "2026-03"
CONF = {"dry": False, "verify": False, "ratio": 0.5, "operation": "replace_drop"}


def error_of(outcome, task_id="send"):
    """Return the error of a task that Airflow does not retry."""
    [error] = outcome.errors[task_id]
    assert isinstance(error, AirflowFailException)
    return error


def refused(outcome, task_id="send"):
    error = error_of(outcome, task_id)
    assert isinstance(error, ConfigurationError)
    return str(error)


class TestTemplates:
    def test_a_template_that_renders_to_false_sends(self, dags, sandbox):
        """The string False must not count as true, which would succeed without sending anything."""
        outcome = run(dags["switches_templated"], run_conf=CONF)
        assert (outcome.state, sandbox.month(MONTH)["rows"]) == ("success", 3)
        assert outcome.xcom("send")["check_only"] is False
        actions = [request["path"].rsplit("/", 1)[1] for request in sandbox.requests()]
        assert actions == ["billing_drops", "validate_billing_drop", "billing_drops"]

    def test_a_template_that_renders_to_true_does_not(self, dags, sandbox):
        outcome = run(dags["switches_templated"], run_conf={**CONF, "dry": True})
        assert (outcome.state, sandbox.months()) == ("success", {})
        assert outcome.xcom("send")["check_only"] is True

    def test_verify_and_numbers(self, dags, sandbox):
        assert run(dags["switches_templated"], run_conf={**CONF, "verify": "TRUE", "ratio": 1}).state == "success"
        assert [r["path"] for r in sandbox.requests() if r["method"] == "GET"][-1].endswith(f"/{MONTH}")

    def test_a_ratio_is_applied(self, dags, sandbox):
        run(dags["switches_templated"], run_conf={**CONF, "operation": "sum"})
        run(dags["switches_templated"], run_conf={**CONF, "operation": "sum"})
        outcome = run(dags["switches_templated"], run_conf={**CONF, "ratio": "0.75"})
        assert isinstance(error_of(outcome), MonthWouldShrinkError)
        assert run(dags["switches_templated"], run_conf={**CONF, "ratio": "0"}).state == "success"
        assert sandbox.month(MONTH)["rows"] == 3

    @pytest.mark.parametrize(
        ("conf", "words"),
        [
            ({"dry": "no"}, "check_only is 'no': expected True or False, or a template that renders to one of them."),
            ({"dry": None}, "check_only is 'None': expected True or False"),
            ({"verify": 1}, "verify is '1': expected True or False"),
            ({"ratio": "half"}, "min_rows_ratio is 'half': expected a number, 0 (off) to 1, or a template"),
            ({"ratio": 1.5}, "min_rows_ratio is '1.5': expected a number, 0 (off) to 1"),
            ({"operation": "replace"}, "operation is '\\nreplace': expected one of replace_drop, replace_hourly, sum."),
        ],
        ids=str,
    )
    def test_any_other_value_is_refused_before_anything_is_sent(self, dags, sandbox, conf, words):
        outcome = run(dags["switches_templated"], run_conf={**CONF, **conf})
        assert refused(outcome).startswith(words)
        assert sandbox.requests() == []

    @pytest.mark.parametrize(("dry", "rows"), [(False, 3), ("False", 3), (True, 0), ("true", 0)])
    def test_native_objects(self, dags, sandbox, dry, rows):
        assert run(dags["switches_native"], run_conf={"dry": dry, "ratio": "0.5"}).state == "success"
        assert sum(month["rows"] for month in sandbox.months().values()) == rows

    def test_of_an_upstream_task(self, dags, sandbox):
        dag = dags["switches_of_upstream"]
        assert dag.get_task("send").upstream_task_ids == {"decide"}
        assert run(dag, run_conf={"dry": True}).state == "success"
        assert sandbox.months() == {}
        assert run(dag, run_conf={"dry": False}).state == "success"
        assert sandbox.month(MONTH)["rows"] == 3
        assert "check_only is 'yes'" in refused(run(dag, run_conf={"dry": "yes"}))


class TestOtherSources:
    def test_mapped_over_a_switch(self, dags, sandbox):
        outcome = run(dags["switches_mapped"], run_conf={"dry": "false"})
        assert outcome.states["send"] == ["success", "success", "failed"]
        assert len(sandbox.writes()) == 1
        assert sandbox.month(MONTH)["rows"] == 3

    def test_default_args(self, dags, sandbox):
        assert "check_only is 'no'" in refused(run(dags["switches_of_default_args"]))
        assert sandbox.requests() == []

    @pytest.mark.parametrize(("dry", "rows"), [("false", 3), ("True", 0)])
    def test_a_function(self, dags, sandbox, dry, rows):
        assert run(dags["switches_of_function"], run_conf={"dry": dry}).state == "success"
        assert sum(month["rows"] for month in sandbox.months().values()) == rows

    def test_a_function_is_not_called_when_the_task_is_refused(self, dags, sandbox):
        calls = dags["switches_of_function"].get_task("send").python_callable.__globals__["CALLS"]
        calls.clear()
        assert "check_only is 'no'" in refused(run(dags["switches_of_function"], run_conf={"dry": "no"}))
        assert run(dags["switches_of_function_mapped"]).states["send"] == ["success", "failed"]
        assert calls == {"switches_of_function_mapped": 1}
        assert sandbox.writes() == []


OF_TELEMETRY = {"clear": False, "operation": "replace", "on_zero": "error"}


class TestTelemetry:
    @pytest.mark.parametrize(("clear", "left"), [("false", 2), ("True", 1)])
    def test_periods_are_cleared_only_when_the_switch_is_true(self, dags, sandbox, clear, left):
        other = {"timestamp": f"{MONTH}-02T00:00:00Z", "value": 1, "associated_cost": {"custom:Product": "a"}}
        url = f"{sandbox.url}/unit-cost/v1/telemetry/metric/orders/sum"
        requests.post(url, json={"records": [other]}, headers={"Authorization": sandbox.key}, timeout=20)
        assert run(dags["switches_of_telemetry"], run_conf={**OF_TELEMETRY, "clear": clear}).state == "success"
        assert len(records(sandbox, "orders")) == left

    @pytest.mark.parametrize(
        ("conf", "words"),
        [
            ({"clear": "no"}, "clear_periods is 'no': expected True or False, or a template that renders"),
            ({"operation": "upsert"}, "operation is 'upsert': expected one of replace, sum, delete."),
            ({"on_zero": "None"}, "on_zero is 'None': expected one of error, delete, skip."),
        ],
        ids=str,
    )
    def test_any_other_value_is_refused(self, dags, sandbox, conf, words):
        outcome = run(dags["switches_of_telemetry"], run_conf={**OF_TELEMETRY, **conf})
        assert refused(outcome).startswith(words)
        assert sandbox.requests() == []


class TestSensor:
    def test_rows_of_a_template(self, dags, sandbox):
        run(dags["switches_templated"], run_conf=CONF)
        assert run(dags["switches_of_sensor"], run_conf={"rows": 3}).state == "success"
        outcome = run(dags["switches_of_sensor"], run_conf={"rows": "three"})
        assert refused(outcome, "wait").startswith(
            "rows is 'three': expected a whole number, at least 0, or a template"
        )
