"""What differs between the lines of Airflow. Names that moved come from ``airflow.providers.common.compat.sdk``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def set_default_of_mapped(partial: Any, given: Mapping[str, Any], name: str, value: object) -> None:
    """
    Set an argument of a mapped task, unless the user did, also in ``default_args``.

    Airflow 2.11 writes a default of its own where nobody gave a value, so what is in ``partial.kwargs`` does not tell.

    :param partial: what ``partial`` of the operator's base class returned.
    :param given: what it was called with.
    :param name: of the argument.
    :param value: to set.
    """
    parents = (partial.kwargs["dag"], partial.kwargs["task_group"])
    defaults = [given.get("default_args"), *(getattr(parent, "default_args", None) for parent in parents)]
    if not any(name in arguments for arguments in (given, *defaults) if arguments):
        partial.kwargs[name] = value


def operator_class(task: Any) -> type[Any]:
    """
    Give the class of the operator of a task, also when that is mapped.

    :param task: of a DAG.
    """
    found = getattr(task, "operator_class", None)
    return found if isinstance(found, type) else type(task)


def is_mapped(task: Any) -> bool:
    """
    Whether a task can have several instances in a DAG run: it is mapped, or in a mapped task group.

    :param task: of a DAG.
    """
    return operator_class(task) is not type(task) or next(task.iter_mapped_task_groups(), None) is not None


def pull_all(ti: Any, task_ids: Sequence[str], key: str) -> list[Any]:
    """
    Return an XCom of all instances of some tasks in the run; there may be ``None`` among them.

    Without map indexes, every line returns those of all instances (2.11.2, 3.1.8, 3.2.2, 3.3.2). With a list of tasks,
    a single value comes in a list, too.

    :param ti: the running task instance.
    :param task_ids: of tasks in its DAG.
    :param key: of the XCom.
    """
    return list(ti.xcom_pull(task_ids=list(task_ids), key=key))


def pull_instances(ti: Any, task_id: str, key: str, map_indexes: Sequence[int]) -> list[Any]:
    """
    Return an XCom of some instances of a mapped task in the run, without those that have none.

    :param ti: the running task instance.
    :param task_id: of a task in its DAG.
    :param key: of the XCom.
    :param map_indexes: of the instances.
    """
    found = ti.xcom_pull(task_ids=task_id, key=key, map_indexes=list(map_indexes)) if map_indexes else []
    return [value for value in found if value is not None]


def instance_states(ti: Any, task_id: str) -> dict[int, str | None]:
    """
    Return the state of each instance of a task in the run, by map index (-1 where it is not mapped).

    :param ti: the running task instance.
    :param task_id: of a task in its DAG.
    """
    if not hasattr(ti, "get_task_states"):
        return _states_in_database(ti, task_id)
    # Airflow 3 (3.1.8, 3.2.2, 3.3.2) returns them by names like "send_0", or "send" where it is not mapped. Of several
    # tasks at once, "send_0" might be another task.
    found = ti.get_task_states(dag_id=ti.dag_id, task_ids=[task_id], run_ids=[ti.run_id]).get(ti.run_id, {})
    return {-1 if name == task_id else int(name[len(task_id) + 1 :]): state for name, state in found.items()}


def _states_in_database(ti: Any, task_id: str) -> dict[int, str | None]:
    """Airflow 2.11: tasks may read its database."""
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session

    with create_session() as session:
        columns = session.query(TaskInstance.map_index, TaskInstance.state)
        return dict(columns.filter_by(dag_id=ti.dag_id, run_id=ti.run_id, task_id=task_id).all())
