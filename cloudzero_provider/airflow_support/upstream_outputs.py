"""Outputs of upstream tasks: those of skipped tasks are left out; any other missing one is an error."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from cloudzero_provider.airflow_support.compat import (
    instance_states,
    is_expanded,
    is_output,
    operators_of,
    pull_instances,
    share_mapped_group,
)
from cloudzero_provider.exceptions import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow.sdk import Context

log = logging.getLogger(__name__)

_RETURN_VALUE = "return_value"


class UpstreamOutputs:
    """
    Resolves what upstream tasks returned, for a parameter that accepts several outputs.

    :param name: of the parameter.
    :param context: the task's context.
    """

    def __init__(self, name: str, context: Context) -> None:
        self._name = name
        self._context = context

    def one(self, output: Any) -> Any:
        """
        Resolve an output.

        :param output: an ``XComArg``.
        :raises InputError: when its task was skipped, failed or returned nothing.
        """
        skipped = self._skipped(output, self._name)
        return self._all_skipped(skipped) if skipped else self._resolved(output, self._name)

    def several(self, items: Sequence[Any], resolve_other: Callable[[Any], Any]) -> list[Any]:
        """
        Resolve the outputs in a list; those of skipped tasks are left out.

        :param items: outputs and other values.
        :param resolve_other: resolves other values.
        :raises InputError: when a task failed or returned nothing, or all of them were skipped.
        """
        found: list[Any] = []
        skipped: list[Any] = []
        for number, item in enumerate(items):
            where = f"{self._name}[{number}]"
            if not is_output(item):
                found.append(resolve_other(item))
            elif operators := self._skipped(item, where):
                skipped += operators
            else:
                found.append(self._resolved(item, where))
        if skipped and not found:
            return self._all_skipped(skipped)
        if skipped:
            log.info("%s: an output is left out because %s", self._name, _skipped(skipped))
        return found

    def _all_skipped(self, skipped: Sequence[Any]) -> list[Any]:
        if all(map(is_expanded, skipped)):
            # A task that is mapped over an empty list is skipped, too.
            return []
        raise InputError(
            f"{self._name}: there are no rows because {_skipped(skipped)}. Nothing was sent. "
            "With the trigger rule none_failed_min_one_success, this task is then skipped, too."
        )

    def _resolved(self, output: Any, where: str) -> Any:
        value = output.resolve(self._context)
        operators = operators_of(output)
        if value is None and operators:
            raise InputError(
                f"{where} is None: the upstream task {_listed(operators)} returned nothing. Return an empty list when "
                "there are no rows."
            )
        if hasattr(output, "operator") and is_expanded(output.operator) and output.key == _RETURN_VALUE:
            return self._of_instances(output.operator.task_id, value, where)
        return value

    def _of_instances(self, task_id: str, values: Sequence[Any], where: str) -> Sequence[Any]:
        """Return the outputs of the instances that succeeded."""
        states = instance_states(self._context["ti"], task_id)
        succeeded = sorted(index for index, state in states.items() if state == "success")
        if len(values) > len(succeeded):
            # After a clear, an instance may have been skipped or removed, but its XCom remains.
            values = pull_instances(self._context["ti"], task_id, _RETURN_VALUE, succeeded)
        # An instance that returned None has no XCom, so its rows would be missing without an error.
        missing = len(succeeded) - len(values)
        if missing:
            raise InputError(
                f"{where}: {missing:,} of {len(succeeded):,} instances of the upstream task {task_id!r} returned "
                "nothing. Return an empty list when there are no rows."
            )
        return values

    def _skipped(self, output: Any, where: str) -> list[Any]:
        """Return the operators of an output that were skipped."""
        if self._needs_all_success():
            return []
        skipped = []
        operators = operators_of(output)
        for operator in operators:
            # States, not XComs: after a clear, an XCom of a previous attempt may remain.
            states = self._states(operator)
            if states == {"skipped"}:
                skipped.append(operator)
            elif unfinished := states - {"success", "skipped"}:
                state = ", ".join(sorted(str(each or "not started") for each in unfinished))
                raise InputError(
                    f"{where}: the upstream task {operator.task_id!r} did not succeed ({state}), so its rows are "
                    "missing. Nothing was sent."
                )
        if skipped and len(skipped) < len(operators):
            raise InputError(
                f"{where}: {_skipped(skipped)}, but its output is combined with others: pass them "
                f"in a list, {self._name}=[…, …], where skipped ones are left out."
            )
        return skipped

    def _needs_all_success(self) -> bool:
        """Whether the task only runs when all upstream tasks succeeded."""
        return str(getattr(self._context["task"].trigger_rule, "value", "")) == "all_success"

    def _states(self, operator: Any) -> set[str | None]:
        ti = self._context["ti"]
        states = instance_states(ti, operator.task_id)
        if share_mapped_group(operator, self._context["task"]):
            states = {index: state for index, state in states.items() if index == ti.map_index}
        return set(states.values()) - {"removed"}


def _listed(operators: Sequence[Any]) -> str:
    return " and ".join(dict.fromkeys(repr(operator.task_id) for operator in operators))


def _skipped(operators: Sequence[Any]) -> str:
    tasks, were = ("task", "was") if len({operator.task_id for operator in operators}) == 1 else ("tasks", "were")
    return f"the upstream {tasks} {_listed(operators)} {were} skipped"
