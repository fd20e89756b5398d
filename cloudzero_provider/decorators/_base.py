"""What the flavours of ``@task`` share: what a function returns goes straight to the operator, and into no XCom."""

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
from cloudzero_provider.operators._send import SOURCES

if TYPE_CHECKING:
    from airflow.sdk import Context

#: Parameters of the operators that say where rows are. Here the function gives them.
ROW_SOURCES = (*SOURCES, "sql_conn_id")

_ASYNC = "make it a plain function, which may do its work by asyncio.run(...) and return the rows"


def template_fields_of(operator: type[Any]) -> tuple[str, ...]:
    """
    Give the template fields of the flavour of an operator: those of any TaskFlow task, and the operator's own.

    :param operator: whose parameters the decorator takes.
    """
    fields = (*DecoratedOperator.template_fields, *operator.template_fields)
    return tuple(name for name in fields if name not in ROW_SOURCES)


@dataclass(frozen=True)
class FunctionRows:
    """
    Rows that are not there yet, resolved like the output of an upstream task: once the operator wants them.

    :param resolve: calls the function with a context, and gives what it returns.
    """

    resolve: Callable[[Context], Any]


class RowsOfFunction(DecoratedOperator):
    """Makes a sending operator one whose rows are what the decorated function returns. Goes before it as a base."""

    custom_operator_name: str
    #: The operator, for error messages.
    sends_by: str
    # A text for the function that ends in .sql is a text, and no file with a template.
    template_ext: Sequence[str] = ()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # What default_args hold for them is meant for other tasks.
        for name in ROW_SOURCES:
            setattr(self, name, None)

    def execute(self, context: Context) -> Any:
        """Have the operator send what the function returns."""
        self.records = FunctionRows(self._call)
        return super().execute(context)

    def _call(self, context: Context) -> Any:
        context_merge(context, self.op_kwargs)
        arguments = determine_kwargs(self.python_callable, self.op_args, context)
        returned = self.python_callable(*self.op_args, **arguments)
        self._refuse_what_is_no_rows(returned)
        return returned

    def _refuse_what_is_no_rows(self, returned: Any) -> None:
        what = f"{self.python_callable.__name__}() returned"
        kind = type(returned).__name__
        if returned is None:
            raise InputError(f"{what} None: return the rows, or yield them; an empty list when there are none.")
        if isinstance(returned, (str, bytes, os.PathLike)):
            raise InputError(
                f"{what} a {kind}: expected rows. To send a file, return its path from a @task, and give it to "
                f"{self.sends_by}(files=...)."
            )
        if isinstance(returned, Mapping):
            raise InputError(f"{what} a {kind}: expected rows, each of which is a dict. A single one goes into a list.")
        if isinstance(returned, Awaitable) or hasattr(returned, "__aiter__"):
            raise InputError(f"{what} a {kind}, which is async: {_ASYNC}.")


class RowsTaskDecorator(CheckedTaskDecorator):
    """
    A decorated function, which Airflow makes into a task where it is called, or into a mapped one.

    What can't work is refused here, and not by the operator, which a mapped task does not make before it runs.
    """

    def check_arguments(self, arguments: dict[str, Any]) -> None:
        """Refuse an async function, parameters for rows, and ``multiple_outputs``."""
        name = self.operator_class.custom_operator_name
        _refuse_async(self.function, name)
        _refuse_row_sources(arguments, name, self.operator_class.sends_by)
        if arguments.pop("multiple_outputs", None):
            raise ConfigurationError(f"{name} returns one summary, which multiple_outputs can't split: leave it out.")

    def expand(self, **map_kwargs: Any) -> Any:
        """Map the function over lists of its arguments."""
        return _one_at_a_time(super().expand(**map_kwargs))

    def expand_kwargs(self, kwargs: Any, *, strict: bool = True) -> Any:
        """Map the function over a list of dicts of its arguments."""
        return _one_at_a_time(super().expand_kwargs(kwargs, strict=strict))


def _refuse_async(function: Callable[..., Any], name: str) -> None:
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise ConfigurationError(f"{name} takes no async function ({function.__name__}): {_ASYNC}.")


def _refuse_row_sources(given: Mapping[str, Any], name: str, sends_by: str) -> None:
    for source in (*ROW_SOURCES, "allow_equal_files"):
        if given.get(source) is not None:
            raise ConfigurationError(
                f"{name} sends the rows that its function returns, so it takes no {source}: leave it out, or use "
                f"{sends_by}({source}=...)."
            )


def _one_at_a_time(mapped: Any) -> Any:
    """Set the operator's default, which it can't: ``expand`` never runs ``__init__``."""
    set_default_of_mapped_function(mapped, "max_active_tis_per_dag", 1)
    return mapped


def rows_task(operator_class: type[RowsOfFunction], python_callable: Callable[..., Any] | None, kwargs: Any) -> Any:
    """
    Decorate a function.

    :param operator_class: the operator that is made of it.
    :param python_callable: the function; ``None`` where the decorator was given arguments (``@task.…()``).
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
