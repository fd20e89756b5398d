"""``TelemetryPlanOperator`` in Airflow: rendered, and small in its database."""

from __future__ import annotations

import json

from support.airflow_runs import run

from cloudzero_provider.exceptions import InvalidRowsError


def test_a_plan_is_rendered_shown_and_then_sent(dags, sandbox, tmp_path):
    conf = {"stream": "teams_a", "month": "2026-03", "clear": "False", "folder": str(tmp_path), "elements": 400}
    outcome = run(dags["telemetry_planned"], run_conf=conf)
    assert outcome.state == "success"
    report, summary = outcome.xcom("plan"), outcome.xcom("send")
    assert len(json.dumps(report)) < 10_000
    assert (report["stream_name"], report["month"], report["records"], report["cleared"]) == (
        "teams_a",
        "2026-03",
        1_200,
        None,
    )
    assert report["sha256"] == summary["sha256"]
    assert outcome.xcom("show") == ["### teams\\_a, 2026-03: writes 1,200 records, total 2,800"]
    assert (tmp_path / "teams_a.md").read_text(encoding="utf-8").strip() == report["markdown"].strip()
    rendered = outcome.rendered("plan")
    assert "resolved when the task runs" in rendered["records"]
    assert rendered["report_file"] == f"{tmp_path}/teams_a.md"
    assert outcome.names()["plan"] == ["teams_a, 2026-03: writes 1,200 records, total 2,800"]
    # Only the task that sends has written.
    assert len(sandbox.posts()) == summary["requests"] == report["requests"]


def test_what_is_wrong_stops_the_dag_before_it_sends(dags, sandbox, tmp_path):
    conf = {"stream": "teams", "month": "2026-04", "clear": "true", "folder": str(tmp_path), "elements": 1}
    outcome = run(dags["telemetry_planned"], run_conf=conf)
    assert (outcome.state, outcome.tries["plan"]) == ("failed", 1)
    [error] = outcome.errors["plan"]
    assert isinstance(error, InvalidRowsError)
    assert sandbox.requests() == []

    outcome = run(dags["telemetry_planned"], run_conf={**conf, "month": "2026-03"})
    assert outcome.xcom("plan")["cleared"]["count"] == 3
