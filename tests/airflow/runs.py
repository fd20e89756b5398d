"""Runs of DAGs: by ``dag.test``, or of a run that Airflow's own back-fill command has made."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow.models import RenderedTaskInstanceFields
from airflow.models.xcom import XComModel
from airflow.sdk.definitions.dag import _run_task
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState, TaskInstanceState

if TYPE_CHECKING:
    from airflow.models import DagRun
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


def run(dag: DAG, **options: Any) -> Outcome:
    """Run a DAG once, and collect the errors that Airflow hands to the callbacks of its tasks."""
    errors: dict[str, list[BaseException]] = {}

    def remember(context: Any) -> None:
        errors.setdefault(context["ti"].task_id, []).append(context["exception"])

    for task in dag.tasks:
        if not task.is_mapped:
            task.on_failure_callback = task.on_retry_callback = [remember]
    return _outcome(dag.test(**options), errors)


def run_existing(dag: DAG, dag_run: DagRun) -> Outcome:
    """Run the tasks of a run that is there already, as ``dag.test`` does with the one it makes."""
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
        return _outcome(dag_run, {})


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
