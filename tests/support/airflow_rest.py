"""What a person does in Airflow's UI, by its REST API: the ``airflow`` command takes seconds to start."""

from __future__ import annotations

from typing import Any

from demo_airflow import Airflow, Run


def request(airflow: Airflow, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """Send a request to the REST API; return the JSON of the reply."""
    reply = airflow._session.request(method, f"{airflow.url}/api/v2/{path}", json=body, timeout=30)
    reply.raise_for_status()
    return reply.json()


def unpause(airflow: Airflow, dag_id: str) -> None:
    request(airflow, "PATCH", f"dags/{dag_id}", {"is_paused": False})


def trigger(airflow: Airflow, dag_id: str, partition_key: str | None = None) -> str:
    """Create a run, of an unpaused DAG; return its id."""
    unpause(airflow, dag_id)
    body = {"logical_date": None} | ({"partition_key": partition_key} if partition_key else {})
    return request(airflow, "POST", f"dags/{dag_id}/dagRuns", body)["dag_run_id"]


def clear(airflow: Airflow, dag_id: str, run_id: str) -> None:
    """Clear a run, to be run with the latest version of its DAG."""
    body = {"dry_run": False, "run_on_latest_version": True}
    request(airflow, "POST", f"dags/{dag_id}/dagRuns/{run_id}/clear", body)


def finished(airflow: Airflow, dag_id: str, run_id: str, limit: float = 120) -> Run:
    """
    Wait for the end of a run.

    :param limit: seconds.
    """

    def find() -> Run:
        return next(run for run in airflow.runs(dag_id) if run.run_id == run_id)

    airflow.wait(dag_id, lambda: find().state in ("success", "failed"), limit)
    return find()


def run(airflow: Airflow, dag_id: str, partition_key: str | None = None, limit: float = 120) -> Run:
    """Run a DAG once, to its end."""
    return finished(airflow, dag_id, trigger(airflow, dag_id, partition_key), limit)
