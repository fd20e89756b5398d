"""Start-up: what a DAG file costs when it is parsed, and a task before its first request."""

from __future__ import annotations

from benchmarks.model import OURS, Case, Program

_P = "benchmarks.programs"
_AIRFLOW = "benchmarks.surroundings:airflow"

CASES = (
    Case(
        "start-up",
        (
            Program(OURS, f"{_P}.parse_our_dag"),
            Program("Python operators", f"{_P}.parse_python_dag", note="a DAG file of as many tasks that call Python"),
        ),
        title="DAG file",
        around=_AIRFLOW,
    ),
    Case(
        "start-up",
        (
            Program(OURS, f"{_P}.first_request"),
            Program("libraries loaded", f"{_P}.first_request_loaded", note="has polars and requests before it begins"),
        ),
        title="first request",
        around=_AIRFLOW,
    ),
)
