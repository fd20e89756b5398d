"""36 mapped months of one stream in a complete Airflow with eight workers."""

from __future__ import annotations

from decimal import Decimal

from e2e.dags.mapped_months import MONTHS
from support.airflow_files import assert_key_in_no_file
from support.airflow_rest import run
from support.sandbox_server import KEY


def test_requests_of_36_mapped_instances_never_overlap(airflow, sandbox):
    assert run(airflow, "one_writer", limit=600).state == "success"
    held = sandbox.months()
    assert sorted(held) == MONTHS
    for month in MONTHS:
        assert held[month]["rows"] == 28
        assert Decimal(held[month]["total_cost"]) == 28 * Decimal(month.replace("-", "."))
    assert sandbox.never_overlapped()
    assert {request["status"] for request in sandbox.requests()} == {200}


def test_overlapping_requests_are_detected(airflow, sandbox):
    sandbox.faults({"kind": "slow", "seconds": 2, "times": 50})
    assert run(airflow, "many_writers").state == "success"
    assert not sandbox.never_overlapped()
    assert sorted(sandbox.months()) == MONTHS[:8]
    assert {month["rows"] for month in sandbox.months().values()} == {28}


def test_the_key_is_in_no_log_no_database_and_no_output(airflow):
    assert_key_in_no_file(airflow, KEY)
