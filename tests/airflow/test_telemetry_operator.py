"""The telemetry operator on every line of Airflow."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import AirflowFailException
from support.airflow_runs import run
from support.telemetry_streams import records, stream

from cloudzero_provider.exceptions import InvalidRowsError


def held(sandbox) -> list[tuple[str, str]]:
    return sorted((day, value) for day, _, _, value in records(sandbox, "replaced"))


def test_replace_is_repeatable_and_the_last_values_stay(dags, sandbox):
    dag = dags["telemetry_replaced"]
    first = run(dag, run_conf={"values": [5, 7]})
    assert (first.state, first.xcom("send")["month"], first.xcom("send")["total"]) == ("success", "2026-03", "12")
    digest = stream(sandbox, "replaced")["digest"]
    assert run(dag, run_conf={"values": [5, 7]}).xcom("send") == first.xcom("send")
    assert stream(sandbox, "replaced")["digest"] == digest

    run(dag, run_conf={"values": [5, 8]})
    assert held(sandbox) == [("2026-03-01", "5"), ("2026-03-02", "8")]
    assert {keys["custom:Team"] for _, _, keys, _ in records(sandbox, "replaced")} == {"{{ 1/0 }}"}


def test_airflow_stores_no_records(dags):
    rendered = run(dags["telemetry_replaced"], run_conf={"values": [5]}).rendered("send")
    assert "resolved when the task runs" in rendered["records"]
    assert rendered["month"] == "2026-03"


def test_records_of_another_month_are_refused(dags, sandbox):
    outcome = run(dags["telemetry_replaced"], run_conf={"values": [5], "month": "2026-04"})
    assert (outcome.state, outcome.tries["send"]) == ("failed", 1)
    [error] = outcome.errors["send"]
    assert isinstance(error, InvalidRowsError)
    assert isinstance(error, AirflowFailException)
    assert "not in 2026-04" in str(error)
    assert sandbox.requests() == []


def test_a_retry_succeeds_after_an_outage(dags, sandbox):
    sandbox.faults({"kind": "refuse", "status": 429, "retry_after": 3600})
    outcome = run(dags["telemetry_replaced"], run_conf={"values": [5]})
    assert (outcome.state, outcome.tries["send"]) == ("success", 2)
    [error] = outcome.errors["send"]
    assert type(error).__name__ == "RateLimitError"
    assert not isinstance(error, AirflowFailException)
    assert held(sandbox) == [("2026-03-01", "5")]
