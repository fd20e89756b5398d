"""What a person does in Airflow's UI, by its REST API: the ``airflow`` command takes seconds to start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from demo_airflow import Airflow, Run

if TYPE_CHECKING:
    from pathlib import Path

LOCKED = 500
#: Of a log that is shown.
_LINES = 40


def request(airflow: Airflow, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """Send a request to the REST API; return the JSON of the reply."""
    for _ in range(3):
        reply = airflow._session.request(method, f"{airflow.url}/api/v2/{path}", json=body, timeout=30)
        if reply.status_code != LOCKED:
            break
    reply.raise_for_status()
    return reply.json()


def unpause(airflow: Airflow, dag_id: str) -> None:
    request(airflow, "PATCH", f"dags/{dag_id}", {"is_paused": False})


def create_run(airflow: Airflow, dag_id: str, **fields: Any) -> str:
    """Create a run, which waits while its DAG is paused; return its id."""
    return request(airflow, "POST", f"dags/{dag_id}/dagRuns", {"logical_date": None, **fields})["dag_run_id"]


def trigger(airflow: Airflow, dag_id: str, partition_key: str | None = None) -> str:
    """Create a run, of an unpaused DAG; return its id."""
    unpause(airflow, dag_id)
    return create_run(airflow, dag_id, **({"partition_key": partition_key} if partition_key else {}))


def states(airflow: Airflow, dag_id: str, run_id: str) -> dict[str, str | None]:
    """Return the states of a run's tasks."""
    tasks = request(airflow, "GET", f"dags/{dag_id}/dagRuns/{run_id}/taskInstances")["task_instances"]
    return {task["task_id"]: task["state"] for task in tasks}


def xcom(airflow: Airflow, dag_id: str, run_id: str, task_id: str) -> Any:
    """Return what a task returned."""
    path = f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/return_value"
    return request(airflow, "GET", path)["value"]


def question(airflow: Airflow, dag_id: str, run_id: str, task_id: str) -> dict[str, Any]:
    """Return what a task asks a person, and the response."""
    return request(airflow, "GET", _details(dag_id, run_id, task_id))


def respond(airflow: Airflow, dag_id: str, run_id: str, task_id: str, option: str) -> None:
    """
    Choose an option, as a person does: later than a program could.

    Airflow 3.3.2 fails a task that is queued again before the scheduler has seen the end of the process that asked.
    """
    scheduler = airflow.component("scheduler")
    ended = f"TaskInstance Finished: dag_id={dag_id}, task_id={task_id}, run_id={run_id},"
    airflow.wait("the end of the process that asked", lambda: ended in scheduler.log.read_text("utf-8"), limit=60)
    request(airflow, "PATCH", _details(dag_id, run_id, task_id), {"chosen_options": [option]})


def _details(dag_id: str, run_id: str, task_id: str) -> str:
    return f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/-1/hitlDetails"


def clear(airflow: Airflow, dag_id: str, run_id: str) -> None:
    """Clear a run, to be run with the latest version of its DAG."""
    body = {"dry_run": False, "run_on_latest_version": True}
    request(airflow, "POST", f"dags/{dag_id}/dagRuns/{run_id}/clear", body)


def finished(airflow: Airflow, dag_id: str, run_id: str, limit: float = 120) -> Run:
    """
    Wait for the end of a run; print the logs of a failed one, which pytest shows if that fails a test.

    :param limit: seconds.
    """

    def find() -> Run:
        return next(run for run in airflow.runs(dag_id) if run.run_id == run_id)

    airflow.wait(dag_id, lambda: find().state in ("success", "failed"), limit)
    ended = find()
    if ended.state == "failed":
        print(run_id, states(airflow, dag_id, run_id))
        for log in airflow.task_logs(dag_id, ended):
            print(f"--- {log.relative_to(airflow.home)}", *_last_lines(log), sep="\n")
    return ended


def _last_lines(log: Path) -> list[str]:
    return log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LINES:]


def run(airflow: Airflow, dag_id: str, partition_key: str | None = None, limit: float = 120) -> Run:
    """Run a DAG once, to its end."""
    return finished(airflow, dag_id, trigger(airflow, dag_id, partition_key), limit)
