"""Base of the decorators: what the function returns goes to the operator directly, not through XCom."""

from __future__ import annotations

import inspect
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import DecoratedOperator, context_merge

from cloudzero_provider.airflow_support.compat import (
    CheckedTaskDecorator,
    determine_kwargs,
    set_default_of_mapped_function,
)
from cloudzero_provider.exceptions import ConfigurationError, InputError
from cloudzero_provider.operators._rows import SOURCES

if TYPE_CHECKING:
    from airflow.sdk import Context

#: Parameters of the operators that say where rows come from. Here they come from the function.
ROW_SOURCES = (*SOURCES, "sql_conn_id")

_ASYNC = "use a plain function, which may call asyncio.run(...) and return the rows"


def template_fields_of(operator: type[Any]) -> tuple[str, ...]:
    """
    Return the template fields of a decorated operator: those of every TaskFlow task, and the operator's own.

    :param operator: whose parameters the decorator accepts.
    """
    fields = (*DecoratedOperator.template_fields, *operator.template_fields)
    return tuple(name for name in fields if name not in ROW_SOURCES)


@dataclass(frozen=True)
class FunctionRows:
    """
    The rows of a function, resolved like the output of an upstream task: when the operator reads them.

    :param resolve: calls the function with a context, and returns its rows.
    """

    resolve: Callable[[Context], Any]


class RowsOfFunction(DecoratedOperator):
    """Mixin, before a sending operator, that sends the rows the decorated function returns."""

    custom_operator_name: str
    #: Name of the operator, for errors.
    operator_name: str
    # An argument of the function that ends in .sql is not the path of a template.
    template_ext: Sequence[str] = ()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # Values from default_args are meant for other tasks.
        for name in ROW_SOURCES:
            setattr(self, name, None)

    def execute(self, context: Context) -> Any:
        """Send what the function returns."""
        self.records = FunctionRows(self._call)
        return super().execute(context)

    def _call(self, context: Context) -> Any:
        context_merge(context, self.op_kwargs)
        arguments = determine_kwargs(self.python_callable, self.op_args, context)
        returned = self.python_callable(*self.op_args, **arguments)
        self._check_returned(returned)
        return returned

    def _check_returned(self, returned: Any) -> None:
        what = f"{self.python_callable.__name__}() returned"
        kind = type(returned).__name__
        if returned is None:
            raise InputError(f"{what} None: return or yield the rows, or an empty list when there are none.")
        if isinstance(returned, (str, bytes, os.PathLike)):
            raise InputError(
                f"{what} a {kind}: expected rows. To send a file, return its path from a @task, and pass it to "
                f"{self.operator_name}(files=...)."
            )
        if isinstance(returned, Mapping):
            raise InputError(f"{what} a {kind}: expected rows, each a dict. Return a single row in a list.")
        if isinstance(returned, Awaitable) or hasattr(returned, "__aiter__"):
            raise InputError(f"{what} a {kind}, which is async: {_ASYNC}.")


class RowsTaskDecorator(CheckedTaskDecorator):
    """
    A decorated function, which becomes a task, or a mapped task, where the DAG calls it.

    It checks arguments itself, since a mapped task creates its operator only when it runs.
    """

    def check_arguments(self, arguments: dict[str, Any]) -> None:
        """Refuse an async function, parameters for rows, and ``multiple_outputs``."""
        name = self.operator_class.custom_operator_name
        _refuse_async(self.function, name)
        _refuse_row_sources(arguments, name, self.operator_class.operator_name)
        if arguments.pop("multiple_outputs", None):
            raise ConfigurationError(f"{name} returns one summary, which multiple_outputs can't split: remove it.")

    def expand(self, **map_kwargs: Any) -> Any:
        """Map the function over lists of arguments."""
        return _one_at_a_time(super().expand(**map_kwargs))

    def expand_kwargs(self, kwargs: Any, *, strict: bool = True) -> Any:
        """Map the function over a list of dicts of arguments."""
        return _one_at_a_time(super().expand_kwargs(kwargs, strict=strict))


def _refuse_async(function: Callable[..., Any], name: str) -> None:
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise ConfigurationError(f"{name} does not accept an async function ({function.__name__}): {_ASYNC}.")


def _refuse_row_sources(given: Mapping[str, Any], name: str, operator_name: str) -> None:
    for source in (*ROW_SOURCES, "allow_equal_files"):
        if given.get(source) is not None:
            raise ConfigurationError(
                f"{name} sends the rows that its function returns, so it does not accept {source}: remove it, or use "
                f"{operator_name}({source}=...)."
            )


def _one_at_a_time(mapped: Any) -> Any:
    """Set the operator's default of ``max_active_tis_per_dag``: ``expand`` never runs ``__init__``."""
    set_default_of_mapped_function(mapped, "max_active_tis_per_dag", 1)
    return mapped


def rows_task(operator_class: type[RowsOfFunction], python_callable: Callable[..., Any] | None, kwargs: Any) -> Any:
    """
    Decorate a function.

    :param operator_class: the operator it becomes.
    :param python_callable: the function; ``None`` when the decorator is called with arguments (``@task.…()``).
    :param kwargs: those arguments.
    """

    def decorate(function: Callable[..., Any]) -> RowsTaskDecorator:
        return RowsTaskDecorator(
            function=function,
            operator_class=operator_class,
            multiple_outputs=False,
            kwargs=dict(kwargs),
            decorator_name=operator_class.custom_operator_name.removeprefix("@"),
        )

    return decorate if python_callable is None else decorate(python_callable)
