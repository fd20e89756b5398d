"""Links and asset events of tasks, as Airflow's database holds them."""

from __future__ import annotations

import json

import pytest
from support import airflow_lines as lines
from support.airflow_runs import run

BILLING, STREAMS = "CloudZero billing connections", "CloudZero telemetry streams"


@pytest.fixture
def outcome(dags):
    return run(dags["shown"], run_conf={"costs": ["1.5", "2.25"]})


def test_a_task_that_succeeded_links_to_the_page_of_its_sandbox(outcome, dags, sandbox):
    assert lines.link(dags["shown"], outcome.run_id, "send_bill", BILLING) == f"{sandbox.url}/"
    assert lines.link(dags["shown"], outcome.run_id, "send_metric", STREAMS) == f"{sandbox.url}/"


def test_a_task_that_failed_does_too(dags, sandbox):
    outcome = run(dags["shown"], run_conf={"costs": ["1,5"]})
    assert outcome.states["send_bill"] == ["failed"]
    assert lines.link(dags["shown"], outcome.run_id, "send_bill", BILLING) == f"{sandbox.url}/"


@pytest.mark.parametrize("host", ["", "https://api.cloudzero.com", "a host that can't be used"])
def test_a_task_whose_connection_names_no_other_host_links_to_cloudzero(dags, monkeypatch, host):
    connection = {"conn_type": "cloudzero", "host": host, "password": "k"}
    monkeypatch.setenv("AIRFLOW_CONN_CLOUDZERO_DEFAULT", json.dumps(connection))
    outcome = run(dags["linked"])
    assert outcome.states["send_bill"] == ["failed"]
    link = lines.link(dags["linked"], outcome.run_id, "send_bill", BILLING)
    assert link == "https://app.cloudzero.com/organization/connections"


def test_asset_events_describe_what_was_sent(outcome):
    sent = outcome.xcom("send_bill")
    assert lines.asset_events("cloudzero-bill", outcome.run_id) == [
        {
            "month": "2026-03",
            "anycost_connection_id": sent["anycost_connection_id"],
            "operation": "replace_drop",
            "rows": 2,
            "total_cost": "3.75",
            "sha256": sent["sha256"],
            "check_only": False,
            "unchanged": False,
        }
    ]
    metric = outcome.xcom("send_metric")
    expected = {
        "month": None,
        "stream_name": "shown",
        "operation": "replace",
        "records": 1,
        "total": "5",
        "first": "2026-03-01T00:00:00Z",
        "last": "2026-03-01T00:00:00Z",
        "sha256": metric["sha256"],
        "check_only": False,
    }
    assert lines.asset_events("cloudzero-metric", outcome.run_id) == [expected]
    assert lines.asset_events("cloudzero-all", outcome.run_id) == [expected]


def test_a_task_that_failed_creates_no_event(dags):
    outcome = run(dags["shown"], run_conf={"costs": ["1,5"]})
    assert lines.asset_events("cloudzero-bill", outcome.run_id) == []
