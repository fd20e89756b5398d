"""
Everything private of Airflow that this package uses, and what differs between Airflow's versions.

No other module uses any of it. Names that only moved come from ``airflow.providers.common.compat.sdk``.
Checked on Airflow 2.11.2, 3.1.8, 3.2.2 and 3.3.2:

=================================  ============  ==============================================================
Airflow's name                     versions      used for
=================================  ============  ==============================================================
``_do_render_template_fields``     all           keeping Jinja away from rows
``partial_kwargs``, ``kwargs``     all           defaults of mapped tasks, for which ``__init__`` never runs
``_TaskDecorator``                 all           ``@task.cloudzero_...``; 2.11 has it in another module
``__attrs_post_init__``            all           checking the arguments of such a decorator
``determine_kwargs``               all           calling the decorated function; 2.11 has it in another module
``iter_references``                all           the upstream tasks of an output
``get_closest_mapped_task_group``  all           instances in the same mapped task group
``iter_mapped_task_groups``        all           tasks in a mapped task group
``rendered_map_index``             all           naming a task instance without another request to Airflow
``get_task_states``                3             states of task instances
``TaskInstance``                   2.11          the same, from the database, which tasks of 3 can't read
``XCom``                           2.11          the same, in the web server
``xcom_key``                       3             showing links before the task ends
``_AIRFLOW_PROCESS_CONTEXT``       3             connections of Airflow's database outside a task
``conf``                           all           the executors; another module has it from 3.2 on
``AIRFLOW_IS_K8S_EXECUTOR_POD``    all           whether a task runs in a pod of its own
=================================  ============  ==============================================================
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator

try:
    from airflow.sdk.bases.decorator import _TaskDecorator, determine_kwargs
except ImportError:  # Airflow 2.11
    from airflow.decorators.base import _TaskDecorator  # type: ignore[import-not-found,no-redef]
    from airflow.utils.operator_helpers import determine_kwargs  # type: ignore[attr-defined]

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    import jinja2
    from airflow.sdk import Context

__all__ = ["determine_kwargs"]

#: Of Airflow's column.
_LONGEST_NAME = 250


def look_up_connections_in_database() -> None:
    """
    Let this process look connections up in Airflow's database, as Airflow's own commands do.

    Outside a task, Airflow 3 looks at the environment and secrets backends only.
    """
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")


def executor_of(task: Any) -> str:
    """
    Return the name of the executor that a task runs on, like ``CeleryExecutor``, as far as the task can know it.

    :param task: the running task.
    """
    if os.environ.get("AIRFLOW_IS_K8S_EXECUTOR_POD"):
        # Some charts configure these pods with LocalExecutor, to which they are local.
        return "KubernetesExecutor"
    try:
        from airflow.sdk.configuration import conf
    except ImportError:  # Before Airflow 3.2
        from airflow.configuration import conf
    # Names or paths of classes, also as alias:path; the first is the default. Those of a team are team=name.
    configured = [name.rpartition("=")[2].strip() for name in conf.get("core", "executor").replace(";", ",").split(",")]
    chosen = getattr(task, "executor", None) or configured[0]
    paths = dict(name.split(":", 1) for name in configured if ":" in name)
    path = paths.get(chosen, chosen).rpartition(":")[2]
    return str(path.rpartition(".")[2])


class PartlyRenderedOperator(BaseOperator):
    """An operator with template fields that Jinja must not walk."""

    #: Template fields that are not rendered.
    unrendered_fields: Collection[str] = ()

    def _do_render_template_fields(
        self,
        parent: Any,
        template_fields: Iterable[str],
        context: Context,
        jinja_env: jinja2.Environment,
        seen_oids: set[int],
    ) -> None:
        rendered = [name for name in template_fields if parent is not self or name not in self.unrendered_fields]
        super()._do_render_template_fields(parent, rendered, context, jinja_env, seen_oids)
        if parent is self:
            self.after_rendering()

    def after_rendering(self) -> None:
        """Do what the operator does once its fields are rendered."""


class CheckedTaskDecorator(_TaskDecorator):  # type: ignore[type-arg]
    """A decorated function, which Airflow turns into a task, or a mapped task, where the DAG calls it."""

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()  # type: ignore[no-untyped-call]
        self.check_arguments(self.kwargs)

    def check_arguments(self, arguments: dict[str, Any]) -> None:
        """
        Check the decorator's arguments, when the DAG is parsed.

        :param arguments: of the decorator; what is removed from them does not reach the operator.
        """


def set_default_of_mapped(partial: Any, given: Mapping[str, Any], name: str, value: object) -> None:
    """
    Set a default for an argument of a mapped operator. The user's value and ``default_args`` win.

    :param partial: what ``partial`` of the operator's base class returned.
    :param given: the arguments it was called with. ``partial`` does not show them, since Airflow 2.11 adds its own
        defaults.
    :param name: of the argument.
    :param value: its default.
    """
    parents = (partial.kwargs["dag"], partial.kwargs["task_group"])
    defaults = [given.get("default_args"), *(getattr(parent, "default_args", None) for parent in parents)]
    if not any(name in arguments for arguments in (given, *defaults) if arguments):
        partial.kwargs[name] = value


def set_default_of_mapped_function(mapped: Any, name: str, value: object) -> None:
    """
    Set a default for an argument of a mapped ``@task`` function. The user's value and ``default_args`` win.

    :param mapped: what ``expand`` of the decorated function returned.
    :param name: of the argument.
    :param value: its default.
    """
    mapped.operator.partial_kwargs.setdefault(name, value)


def operator_class(task: Any) -> type[Any]:
    """
    Return the class of a task's operator, also for a mapped task.

    :param task: of a DAG.
    """
    found = getattr(task, "operator_class", None)
    return found if isinstance(found, type) else type(task)


def is_expanded(task: Any) -> bool:
    """
    Whether ``expand`` made the task.

    :param task: of a DAG.
    """
    return operator_class(task) is not type(task)


def is_mapped(task: Any) -> bool:
    """
    Whether a task can have several instances in a DAG run: it is mapped, or in a mapped task group.

    :param task: of a DAG.
    """
    return is_expanded(task) or next(task.iter_mapped_task_groups(), None) is not None


def share_mapped_group(task: Any, other: Any) -> bool:
    """
    Whether the innermost mapped task group of two tasks is the same, so that their instances belong together.

    :param task: of a DAG.
    :param other: of the same DAG.
    """
    group = task.get_closest_mapped_task_group()
    return group is not None and group is other.get_closest_mapped_task_group()


def is_output(value: Any) -> bool:
    """Whether a value stands for what upstream tasks returned (Airflow's ``XComArg``)."""
    return callable(getattr(value, "resolve", None)) and hasattr(value, "iter_references")


def operators_of(output: Any) -> list[Any]:
    """
    Return the operators of the upstream tasks that an output comes from, each once.

    :param output: an ``XComArg``.
    """
    return list({operator.task_id: operator for operator, _ in output.iter_references()}.values())


def pull_all(ti: Any, task_ids: Sequence[str], key: str) -> list[Any]:
    """
    Return an XCom of all instances of some tasks in the run; ``None`` may be among them.

    Without map indexes, every version returns those of all instances. With a list of tasks, a single value is in a
    list, too.

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
    # Airflow 3 names them "send_0", or "send" where it is not mapped. Of several tasks at once, "send_0" might be
    # another task.
    found = ti.get_task_states(dag_id=ti.dag_id, task_ids=[task_id], run_ids=[ti.run_id]).get(ti.run_id, {})
    return {-1 if name == task_id else int(name[len(task_id) + 1 :]): state for name, state in found.items()}


def _states_in_database(ti: Any, task_id: str) -> dict[int, str | None]:
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session

    with create_session() as session:
        columns = session.query(TaskInstance.map_index, TaskInstance.state)
        return dict(columns.filter_by(dag_id=ti.dag_id, run_id=ti.run_id, task_id=task_id).all())


class _OwnName(str):
    """The name of a task instance, as :func:`name_instance` set it."""

    __slots__ = ()


def name_instance(context: Any, name: str) -> None:
    """
    Name the running task instance, instead of its map index, unless the user's ``map_index_template`` does.

    Airflow stores the name with the state in which the task ends, so this makes no request. From Airflow 3.2 on, it
    would make one after the task has run, which can fail the task, for a name that ``rendered_map_index`` lacks.

    :param context: the task's context.
    :param name: without braces, since Airflow renders it as a template.
    """
    template = context.get("map_index_template")
    if template is None or isinstance(template, _OwnName):
        name = name[:_LONGEST_NAME]
        context["map_index_template"] = _OwnName(name)
        if hasattr(context["ti"], "rendered_map_index"):
            context["ti"].rendered_map_index = name


def link_xcom_key(link: Any) -> str:
    """
    Return the key of the XCom in which Airflow looks for a link of a task. Airflow 2.11 does not look.

    :param link: an operator link.
    """
    return str(getattr(link, "xcom_key", f"_link_{type(link).__name__}"))


def stored_link(link: Any, ti_key: Any) -> str | None:
    """
    Return what a task stored as its link, in the web server of Airflow 2.11. That of Airflow 3 looks itself.

    :param link: an operator link.
    :param ti_key: identifies the task instance.
    """
    from airflow.models.xcom import XCom

    found = XCom.get_value(ti_key=ti_key, key=link_xcom_key(link))
    return found if isinstance(found, str) else None
