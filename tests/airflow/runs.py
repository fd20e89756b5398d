"""Runs of DAGs: by ``dag.test``, or of a run that Airflow's own back-fill command has made."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow.cli import cli_parser
from airflow.jobs.job import Job
from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
from airflow.models import DagRun, RenderedTaskInstanceFields
from airflow.models.task_state_store import TaskStateStoreModel
from airflow.models.xcom import XComModel
from airflow.sdk.definitions.dag import _run_task
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState, TaskInstanceState

if TYPE_CHECKING:
    from airflow.sdk import DAG


@dataclass
class Outcome:
    """What came of a DAG run."""

    run_id: str
    dag_id: str
    state: str
    tries: dict[str, int]
    states: dict[str, list[str]]
    errors: dict[str, list[BaseException]] = field(default_factory=dict)

    def xcom(self, task_id: str) -> Any:
        """What a task returned, as Airflow's database holds it."""
        with create_session() as session:
            found = session.scalars(
                XComModel.get_many(run_id=self.run_id, dag_ids=self.dag_id, task_ids=task_id, key="return_value")
            ).all()
        values = [json.loads(row.value) if isinstance(row.value, str) else row.value for row in found]
        return values[0] if len(values) == 1 else values

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
        """What a task keeps over its tries, as Airflow's database holds it."""
        with create_session() as session:
            rows = session.query(TaskStateStoreModel).filter_by(run_id=self.run_id, dag_id=self.dag_id, task_id=task_id)
            return {row.key: json.loads(row.value) for row in rows}


def run(dag: DAG, **options: Any) -> Outcome:
    """Run a DAG once, and collect the errors that Airflow hands to the callbacks of its tasks."""
    errors = _remembered_errors(dag)
    return _outcome(dag.test(**options), errors)


def clear_and_run(dag: DAG, outcome: Outcome, task_id: str) -> Outcome:
    """Clear a task, as in the UI, and run what has to run then."""
    _scheduler_dag(dag).clear(run_id=outcome.run_id, task_ids=[task_id])
    with create_session() as session:
        dag_run = session.query(DagRun).filter_by(dag_id=dag.dag_id, run_id=outcome.run_id).one()
    return run_existing(dag, dag_run)


def backfill(dag_id: str, first: str, last: str, *more: str) -> list[DagRun]:
    """Make runs with Airflow's own command, as on the command line."""
    arguments = ["--dag-id", dag_id, "--from-date", first, "--to-date", last, *more]
    command = cli_parser.get_parser().parse_args(["backfill", "create", *arguments])
    with create_session() as session:
        known = {run.run_id for run in session.query(DagRun).filter_by(dag_id=dag_id)}
    command.func(command)
    with create_session() as session:
        runs = session.query(DagRun).filter_by(dag_id=dag_id).order_by(DagRun.partition_key)
        return [run for run in runs if run.run_id not in known]


def close_backfills() -> None:
    """Do what the scheduler does every half minute: a DAG can't have two open back-fills."""
    SchedulerJobRunner(Job())._mark_backfills_complete()


def run_existing(dag: DAG, dag_run: DagRun) -> Outcome:
    """Run the tasks of a run that is there already, as ``dag.test`` does with the one it makes."""
    errors = _remembered_errors(dag)
    with create_session() as session:
        dag_run = session.merge(dag_run)
        dag_run.dag = _scheduler_dag(dag)
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
                _run_task(ti=ti, task=dag.task_dict[ti.task_id])
        return _outcome(dag_run, errors)


def _remembered_errors(dag: DAG) -> dict[str, list[BaseException]]:
    """Have Airflow hand the errors of tasks over, through their callbacks."""
    errors: dict[str, list[BaseException]] = {}

    def remember(context: Any) -> None:
        errors.setdefault(context["ti"].task_id, []).append(context["exception"])

    for task in dag.tasks:
        if not task.is_mapped:
            task.on_failure_callback = task.on_retry_callback = [remember]
    return errors


def _scheduler_dag(dag: DAG) -> Any:
    from airflow.serialization.serialized_objects import DagSerialization

    return DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))


def _outcome(dag_run: DagRun, errors: dict[str, list[BaseException]]) -> Outcome:
    instances = dag_run.get_task_instances()
    states: dict[str, list[str]] = {}
    for ti in sorted(instances, key=lambda ti: ti.map_index):
        states.setdefault(ti.task_id, []).append(str(ti.state))
    tries: Counter[str] = Counter()
    for ti in instances:
        tries[ti.task_id] = max(tries[ti.task_id], ti.try_number)
    return Outcome(dag_run.run_id, dag_run.dag_id, str(dag_run.state), dict(tries), states, errors)
