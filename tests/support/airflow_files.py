"""Reads the files of a complete Airflow: logs, database, and what its processes print."""

from __future__ import annotations

from demo_airflow import Airflow


def assert_key_in_no_file(airflow: Airflow, key: str) -> None:
    """Check all files of an Airflow in which a task has sent a month in one request."""
    files = [path for folder in (airflow.home, airflow.processes.logs) for path in folder.rglob("*") if path.is_file()]
    assert any(path.name == "airflow.db" for path in files)
    assert any(b"sent request 1 of 1" in path.read_bytes() for path in files)
    assert [str(path) for path in files if key.encode() in path.read_bytes()] == []
