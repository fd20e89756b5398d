"""The differences between the lines of Airflow that matter to the tests. Only this module checks the version."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from datetime import datetime
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from airflow.models import DagRun, TaskInstance
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState
from pendulum import parse

from support.paths import TESTS, environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.sdk import DAG

LINE = tuple(int(part) for part in version("apache-airflow").split(".")[:2])

#: DAG files that need a later line of Airflow. Every line can import the others.
SINCE = {
    "anycost_backfill_months.py": (3, 0),
    "anycost_bucket_backfill.py": (3, 0),
    "anycost_bucket_monthly.py": (3, 2),
    "anycost_bucket_roll_back.py": (3, 0),
    "anycost_from_task.py": (3, 0),
    "anycost_daily_month_to_date.py": (3, 2),
    "anycost_focus.py": (3, 0),
    "anycost_last_months.py": (3, 0),
    "anycost_monthly_partitioned.py": (3, 2),
    "anycost_plan_approve_send.py": (3, 2),
    "anycost_report_what_was_sent.py": (3, 0),
    "anycost_retry_policy.py": (3, 3),
    "anycost_s3_parquet.py": (3, 2),
    "anycost_send_and_wait.py": (3, 2),
    "anycost_sql.py": (3, 2),
    "anycost_streams_and_months.py": (3, 0),
    "anycost_taskflow.py": (3, 2),
    "anycost_vendor_csv.py": (3, 0),
    "telemetry_backfill_months.py": (3, 2),
    "telemetry_cost_per_order.py": (3, 2),
    "telemetry_send_and_wait.py": (3, 2),
    "telemetry_split_database.py": (3, 2),
    "telemetry_sql.py": (3, 2),
    "run_months_partitioned.py": (3, 2),
}

if LINE >= (3, 2):
    from airflow.dag_processing.dagbag import BundleDagBag, sync_bag_to_db
    from airflow.sdk import CronDataIntervalTimetable
    from airflow.serialization.serialized_objects import DagSerialization
else:
    from airflow.serialization.serialized_objects import SerializedDAG as DagSerialization
    from airflow.timetables.interval import CronDataIntervalTimetable

    if LINE >= (3, 0):
        from airflow.models.dagbag import BundleDagBag, sync_bag_to_db

if LINE >= (3, 0):
    from airflow.models.xcom import XComModel
    from airflow.sdk.definitions.dag import _run_task
else:
    from airflow.models.dag import _run_task

if LINE in ((3, 1), (3, 2)):
    from airflow.sdk.execution_time import task_runner

    _finalize = task_runner.finalize

    def _finalize_as_a_worker_does(ti: Any, state: Any, context: Any, log: Any, error: Any = None) -> None:
        context["exception"] = error  # A worker does this for callbacks; dag.test of these versions does not.
        _finalize(ti, state, context, log, error)

    task_runner.finalize = _finalize_as_a_worker_does

if (3, 0) <= LINE < (3, 3):
    from airflow.sdk.execution_time import supervisor

    # As 3.3 does: otherwise dag.test starts a server for each task, which takes seconds.
    supervisor.in_process_api_server = lru_cache(maxsize=1)(supervisor.in_process_api_server)

__all__ = ["CronDataIntervalTimetable"]


def needs(line: tuple[int, int], feature: str) -> pytest.MarkDecorator:
    """Skip a test on lines of Airflow before a feature."""
    return pytest.mark.skipif(line > LINE, reason=f"{feature}: Airflow {'.'.join(map(str, line))} and later")


def ended(line: tuple[int, int], feature: str) -> pytest.MarkDecorator:
    """Skip a test on lines of Airflow since the end of a feature."""
    return pytest.mark.skipif(line <= LINE, reason=f"{feature}: only before Airflow {'.'.join(map(str, line))}")


AIRFLOW_SDK = needs((3, 0), "airflow.sdk")
SDK_TIMETABLES = needs((3, 2), "timetables in airflow.sdk")
PARTITIONS = needs((3, 2), "runs with a partition key")
TASK_STATE_STORE = needs((3, 3), "the task state store")
NO_TASK_STATE_STORE = ended((3, 3), "no task state store")


def too_new(folder: Path) -> set[str]:
    """Name the DAG files of a folder that this line can't import."""
    return {path.name for path in folder.glob("*.py") if SINCE.get(path.name, LINE) > LINE}


def dag_bag(folder: Path, bundle: str | None = None, *, safe_mode: bool = True) -> Any:
    """Import the DAGs of a folder."""
    if LINE < (3, 0):
        from airflow.models.dagbag import DagBag

        return DagBag(folder, include_examples=False, safe_mode=safe_mode)
    names = {"bundle_name": bundle} if LINE >= (3, 2) else {}
    bag = BundleDagBag(folder, bundle_path=folder, collect_dags=False, **names)
    bag.collect_dags(folder, safe_mode=safe_mode)
    return bag


def make_known(folders: dict[str, Path]) -> dict[str, DAG]:
    """Import the DAGs of folders and store them in Airflow's database."""
    found: dict[str, DAG] = {}
    if LINE >= (3, 0):
        from airflow.dag_processing.bundles.manager import DagBundlesManager

        DagBundlesManager().sync_bundles_to_db()
    for bundle, folder in folders.items():
        bag = dag_bag(folder, bundle)
        assert {Path(path).name for path in bag.import_errors} == too_new(folder), bag.import_errors
        bag.import_errors.clear()
        if LINE >= (3, 0):
            sync_bag_to_db(bag, bundle, None)
        else:
            bag.sync_to_db()
        found |= bag.dags
    return found


def scheduler_dag(dag: DAG) -> Any:
    """Return the DAG as Airflow reads it from the database."""
    # A scheduler in this process turns links off for the whole process.
    DagSerialization._load_operator_extra_links = True
    return DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))


def test_run(dag: DAG, logical_date: datetime | str | None, run_conf: dict[str, Any] | None) -> DagRun:
    """Run a DAG once by ``dag.test``."""
    name = "logical_date" if LINE >= (3, 0) else "execution_date"
    with _no_parsing():
        return dag.test(run_conf=run_conf, **({} if logical_date == "now" else {name: logical_date}))


@contextlib.contextmanager
def _no_parsing() -> Iterator[None]:
    """Keep ``dag.test`` of 3.3 from parsing and storing every DAG of the folder before each run, which takes seconds."""
    if LINE < (3, 3):
        yield
        return
    from airflow.dag_processing.bundles.manager import DagBundlesManager

    with pytest.MonkeyPatch.context() as patch:
        # ``make_known`` has stored them.
        patch.setattr(DagBundlesManager, "get_all_dag_bundles", lambda _: [])
        yield


def run_task(ti: Any, dag: DAG, session: Any) -> None:
    """Run a task as ``dag.test`` does."""
    if LINE >= (3, 0):
        _run_task(ti=ti, task=dag.task_dict[ti.task_id])
        return
    ti.task = dag.task_dict[ti.task_id]
    try:
        _run_task(ti=ti, session=session)
    except Exception as error:  # It is in the state of the task; the command line prints it, too.
        print(f"{ti.task_id}: {error}")


def clear(dag: DAG, dag_run: DagRun, task_id: str | tuple[str, int]) -> None:
    """Clear a task, or the instance of a mapped one with a map index, as in the UI."""
    if LINE >= (3, 0):
        scheduler_dag(dag).clear(run_id=dag_run.run_id, task_ids=[task_id])
    else:
        dag.clear(task_ids=[task_id], start_date=dag_run.logical_date, end_date=dag_run.logical_date)


def attach(dag_run: DagRun, dag: DAG) -> None:
    """Attach its DAG to a run that was read from the database."""
    dag_run.dag = scheduler_dag(dag) if LINE >= (3, 0) else dag


def xcoms(dag_id: str, run_id: str, task_id: str) -> list[Any]:
    """What the instances of a task returned, by map index, as Airflow's database holds it."""
    with create_session() as session:
        if LINE >= (3, 0):
            query = XComModel.get_many(run_id=run_id, dag_ids=dag_id, task_ids=task_id, key="return_value")
            found = sorted(session.scalars(query), key=lambda row: row.map_index)
            return [json.loads(row.value) if isinstance(row.value, str) else row.value for row in found]
        from airflow.models.xcom import XCom

        rows = XCom.get_many(run_id=run_id, dag_ids=dag_id, task_ids=task_id, key="return_value", session=session)
        return [row.value for row in sorted(rows, key=lambda row: row.map_index)]


def all_xcoms(run_id: str) -> dict[tuple[str, str], str]:
    """All XComs of a run: task and key → value, as a string."""
    if LINE < (3, 0):
        from airflow.models.xcom import XCom as Model
    else:
        Model = XComModel  # noqa: N806
    with create_session() as session:
        return {(row.task_id, row.key): str(row.value) for row in session.query(Model).filter_by(run_id=run_id)}


def backfill(dag: DAG, first: str, last: str, *, again: bool = False) -> list[DagRun]:
    """
    Create the runs of some months with Airflow's own command, which before 3.0 also runs them.

    :param first: month, like ``2026-01``.
    :param last: month.
    :param again: also where there is a run already.
    """
    if LINE == (3, 2) and type(dag.timetable).__name__ == "CronPartitionTimetable":
        # The range means ticks of the schedule here, which are in the month after; from 3.3 on, dates of partitions.
        first, last = _month_after(first), _month_after(last)
    begin, end = f"{first}-01", f"{last}-28"
    if LINE >= (3, 0):
        from airflow.cli import cli_parser

        more = ["--reprocess-behavior", "completed"] if again else []
        arguments = ["backfill", "create", "--dag-id", dag.dag_id, "--from-date", begin, "--to-date", end, *more]
        command = cli_parser.get_parser().parse_args(arguments)
        command.func(command)
        wanted = [DagRun.state == DagRunState.QUEUED]
    else:
        more = ["--reset-dagruns"] if again else []
        subprocess.run(
            [
                sys.executable,
                "-m",
                "airflow",
                "dags",
                "backfill",
                "--subdir",
                TESTS / "airflow" / "dags",
                "--yes",
                *more,
            ]
            + ["--start-date", begin, "--end-date", end, dag.dag_id],
            env=environment(PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"),
            check=True,
        )
        wanted = [DagRun.execution_date >= parse(begin), DagRun.execution_date <= parse(end)]
    with create_session() as session:
        runs = session.query(DagRun).filter(DagRun.dag_id == dag.dag_id, *wanted).order_by(DagRun.id).all()
        session.expunge_all()
    return runs


def _month_after(month: str) -> str:
    year, number = map(int, month.split("-"))
    return f"{year + number // 12}-{number % 12 + 1:02d}"


def close_backfills() -> None:
    """Close finished backfills, as the scheduler does every half minute: a DAG can't have two open ones."""
    if LINE >= (3, 0):
        from airflow.jobs.job import Job
        from airflow.jobs.scheduler_job_runner import SchedulerJobRunner

        SchedulerJobRunner(Job())._mark_backfills_complete()


def queued_at_once(dag: DAG, run_id: str) -> list[str]:
    """Let the scheduler choose which scheduled tasks of a run to queue, and return their ids."""
    from airflow.jobs.job import Job
    from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
    from airflow.models import DagModel

    with create_session() as session:
        session.query(DagModel).filter_by(dag_id=dag.dag_id).update({"is_paused": False})
        session.commit()
        runner = SchedulerJobRunner(Job())
        chosen = runner._executable_task_instances_to_queued(max_tis=32, session=session)
        return [ti.task_id for ti in chosen if ti.run_id == run_id]


def connection_form(conn_type: str) -> dict[str, Any]:
    """Describe the form of a connection type as the web server of this line builds it."""
    # In its own process, since Airflow 3.1 replaces Flask's modules with stubs.
    program = _FORM_OF_REACT if LINE >= (3, 0) else _FORM_OF_FLASK
    ran = subprocess.run([sys.executable, "-c", program, conn_type], stdout=subprocess.PIPE, text=True, check=True)
    form = json.loads(ran.stdout.splitlines()[-1])
    return form | {"hidden": set(form["hidden"])}


_FORM_OF_FLASK = """
import json, sys
from airflow.providers_manager import ProvidersManager
from wtforms import BooleanField, Form, IntegerField, StringField
(conn_type,), prefix = sys.argv[1:], f"extra__{sys.argv[1]}__"
manager = ProvidersManager()
widgets = {key: info.field for key, info in manager.connection_form_widgets.items() if key.startswith(prefix)}
fields = type("F", (Form,), widgets)()._fields
types = {StringField: "string", IntegerField: "integer", BooleanField: "boolean"}
behaviour = manager.field_behaviours[conn_type]
print(json.dumps({
    "extra": {
        key.removeprefix(prefix): {
            "type": types[type(field)], "label": field.label.text, "description": field.description
        } for key, field in fields.items()
    },
    "hidden": behaviour["hidden_fields"], "labels": behaviour["relabeling"], "placeholders": behaviour["placeholders"],
}))
"""
_FORM_OF_REACT = """
import json, sys
from airflow.api_fastapi.core_api.services.ui.connections import HookMetaService
(form,) = (meta for meta in HookMetaService.hook_meta_data() if meta.connection_type == sys.argv[1])
fields = form.standard_fields.model_dump()
standard = {name.removeprefix("url_"): field for name, field in fields.items() if field}
print(json.dumps({
    "extra": {
        name: {
            "type": field["schema"]["type"][0],
            "label": field["schema"]["title"],
            "description": field["description"] or field["schema"].get("description"),
        } for name, field in form.extra_fields.items()
    },
    "hidden": [name for name, field in standard.items() if field["hidden"]],
    "labels": {name: field["title"] for name, field in standard.items() if field["title"]},
    "placeholders": {name: field["placeholder"] for name, field in standard.items() if field["placeholder"]},
}))
"""


def stored(dag_id: str, run_id: str, task_id: str) -> dict[str, Any]:
    """What a task keeps across attempts, as Airflow's database holds it (3.3 and later)."""
    from airflow.models.task_state_store import TaskStateStoreModel

    with create_session() as session:
        rows = session.query(TaskStateStoreModel).filter_by(run_id=run_id, dag_id=dag_id, task_id=task_id)
        return {row.key: json.loads(row.value) for row in rows}


def link(dag: DAG, run_id: str, task_id: str, name: str) -> str | None:
    """Return the URL of a task's link as the UI gets it: from the DAG in the database."""
    with create_session() as session:
        ti = session.query(TaskInstance).filter_by(dag_id=dag.dag_id, run_id=run_id, task_id=task_id).one()
        return scheduler_dag(dag).get_task(task_id).get_extra_links(ti, name)


def asset_events(name: str, run_id: str) -> list[dict[str, Any]]:
    """Return the extra of the events that a run created for an asset (dataset, before 3.0)."""
    if LINE >= (3, 0):
        from airflow.models.asset import AssetEvent as Event, AssetModel as Asset

        event_asset = Event.asset_id
    else:
        from airflow.models.dataset import DatasetEvent as Event, DatasetModel as Asset

        event_asset = Event.dataset_id
    with create_session() as session:
        events = session.query(Event).join(Asset, Asset.id == event_asset)
        return [event.extra for event in events.filter(Asset.uri == name, Event.source_run_id == run_id)]
