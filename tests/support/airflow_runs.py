"""Runs DAGs with ``dag.test``, or the runs that Airflow's backfill command created."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow.models import DagRun, TaskInstance
from airflow.models.renderedtifields import RenderedTaskInstanceFields
from airflow.providers.common.compat.sdk import BaseOperator
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState, TaskInstanceState

from support import airflow_lines as lines
from support.airflow_lines import close_backfills

if TYPE_CHECKING:
    from datetime import datetime

    from airflow.sdk import DAG

__all__ = ["backfill", "clear_and_run", "close_backfills", "run", "run_existing"]


@dataclass
class Outcome:
    """The result of a DAG run."""

    run_id: str
    dag_id: str
    state: str
    tries: dict[str, int]
    states: dict[str, list[str]]
    errors: dict[str, list[BaseException]] = field(default_factory=dict)
    partition_key: str | None = None

    def xcom(self, task_id: str) -> Any:
        """What a task returned, as Airflow's database holds it."""
        values = lines.xcoms(self.dag_id, self.run_id, task_id)
        return values[0] if len(values) == 1 else values

    def xcoms(self) -> dict[tuple[str, str], str]:
        """All XComs of the run: task and key → value, as a string."""
        return lines.all_xcoms(self.run_id)

    def names(self) -> dict[str, list[str | None]]:
        """The names of the instances of each task, by map index, as Airflow's database holds them."""
        found: dict[str, list[str | None]] = {}
        with create_session() as session:
            rows = session.query(TaskInstance).filter_by(run_id=self.run_id, dag_id=self.dag_id)
            for ti in rows.order_by(TaskInstance.map_index):
                found.setdefault(ti.task_id, []).append(ti.rendered_map_index)
        return found

    def rendered(self, task_id: str) -> dict[str, Any]:
        """The rendered fields of a task, as Airflow's database holds them."""
        with create_session() as session:
            row = (
                session.query(RenderedTaskInstanceFields)
                .filter_by(run_id=self.run_id, dag_id=self.dag_id, task_id=task_id)
                .one()
            )
            return dict(row.rendered_fields)

    def stored(self, task_id: str) -> dict[str, Any]:
        """What a task keeps across attempts, as Airflow's database holds it."""
        return lines.stored(self.dag_id, self.run_id, task_id)


def run(dag: DAG, *, logical_date: datetime | str | None = "now", run_conf: dict[str, Any] | None = None) -> Outcome:
    """Run a DAG once and collect the errors that Airflow passes to the callbacks of its tasks."""
    errors = _remembered_errors(dag)
    return _outcome(lines.test_run(dag, logical_date, run_conf), errors)


def clear_and_run(dag: DAG, outcome: Outcome, *task_ids: str | tuple[str, int]) -> Outcome:
    """Clear tasks, or instances of mapped ones, as in the UI, and run what is then due."""
    with create_session() as session:
        dag_run = session.query(DagRun).filter_by(dag_id=dag.dag_id, run_id=outcome.run_id).one()
        session.expunge(dag_run)
    for task_id in task_ids:
        lines.clear(dag, dag_run, task_id)
    return run_existing(dag, dag_run)


def backfill(dag: DAG, first: str, last: str, *, again: bool = False) -> list[Outcome]:
    """Run months with Airflow's own command, as on the command line."""
    return [run_existing(dag, dag_run) for dag_run in lines.backfill(dag, first, last, again=again)]


def cleared_and_chosen(dag: DAG, outcome: Outcome, *task_ids: str) -> Counter[str]:
    """Clear tasks and count the instances of each that the scheduler would then queue at once."""
    with create_session() as session:
        dag_run = session.query(DagRun).filter_by(dag_id=dag.dag_id, run_id=outcome.run_id).one()
        session.expunge(dag_run)
    for task_id in task_ids:
        lines.clear(dag, dag_run, task_id)
    with create_session() as session:
        dag_run = session.merge(dag_run)
        lines.attach(dag_run, dag)
        dag_run.state = DagRunState.RUNNING
        session.commit()
        ready, _ = dag_run.update_state(session=session)
        for ti in ready:
            ti.state = TaskInstanceState.SCHEDULED
        session.commit()
    try:
        return Counter(lines.queued_at_once(dag, outcome.run_id))
    finally:
        with create_session() as session:
            session.query(DagRun).filter_by(run_id=outcome.run_id).update({"state": DagRunState.FAILED})


def run_existing(dag: DAG, dag_run: DagRun) -> Outcome:
    """Run the tasks of an existing run, as ``dag.test`` does with the run it creates."""
    errors = _remembered_errors(dag)
    with create_session() as session:
        dag_run = session.merge(dag_run)
        lines.attach(dag_run, dag)
        dag_run.state = DagRunState.RUNNING
        session.commit()
        while dag_run.state == DagRunState.RUNNING:
            session.expire_all()
            ready, _ = dag_run.update_state(session=session)
            for ti in ready:
                ti.try_number += 1
                ti.state = TaskInstanceState.SCHEDULED
            session.commit()
            for ti in ready:
                lines.run_task(ti, dag, session)
        return _outcome(dag_run, errors)


def _remembered_errors(dag: DAG) -> dict[str, list[BaseException]]:
    """Collect the errors of tasks through their callbacks."""
    errors: dict[str, list[BaseException]] = {}

    def remember(context: Any) -> None:
        errors.setdefault(context["ti"].task_id, []).append(context["exception"])

    for task in dag.tasks:
        if isinstance(task, BaseOperator):  # and is not mapped
            task.on_failure_callback = task.on_retry_callback = [remember]
    return errors


def _outcome(dag_run: DagRun, errors: dict[str, list[BaseException]]) -> Outcome:
    instances = dag_run.get_task_instances()
    states: dict[str, list[str]] = {}
    for ti in sorted(instances, key=lambda ti: ti.map_index):
        states.setdefault(ti.task_id, []).append(str(ti.state))
    tries: Counter[str] = Counter()
    for ti in instances:
        tries[ti.task_id] = max(tries[ti.task_id], ti.try_number)
    key = getattr(dag_run, "partition_key", None)
    return Outcome(dag_run.run_id, dag_run.dag_id, str(dag_run.state), dict(tries), states, errors, key)
