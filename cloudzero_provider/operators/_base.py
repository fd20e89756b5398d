"""Bases of the operators: template fields that are resolved but never rendered, and the connection."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cloudzero_provider.airflow_support.compat import PartlyRenderedOperator, is_output
from cloudzero_provider.airflow_support.upstream_outputs import UpstreamOutputs
from cloudzero_provider.hooks.cloudzero import CloudZeroHook
from cloudzero_provider.values.counted import counted

if TYPE_CHECKING:
    from airflow.sdk import Context


class Unrendered:
    """
    A value that Jinja must not walk: rows can be many, and rendered fields are stored for the UI.

    Wherever Airflow shows the field, it shows a count of rows instead.

    :param value: what the user passed: rows, or something that resolves to rows.
    """

    def __init__(self, value: Any) -> None:
        self.value = value

    def __str__(self) -> str:
        if isinstance(self.value, Sequence) and not isinstance(self.value, (str, bytes)):
            return counted(len(self.value), "row")
        return f"({type(self.value).__name__}, resolved when the task runs)"

    __repr__ = __str__


class ResolvingOperator(PartlyRenderedOperator):
    """Base of the operators whose rows are resolved when they run, and never rendered."""

    def after_rendering(self) -> None:
        """Wrap the fields that were not rendered, so that Airflow stores a count instead of rows."""
        for name in self.unrendered_fields:
            value = getattr(self, name)
            if value is not None and not isinstance(value, Unrendered):
                setattr(self, name, Unrendered(value))

    def resolve_unrendered(self, name: str, context: Context) -> Any:
        """
        Resolve a field that was not rendered: outputs of upstream tasks become their values, templates are rendered.

        :param name: of the field.
        :param context: the task's context.
        :raises InputError: when an upstream task failed, returned nothing, or was skipped and is the only one.
        """
        value = getattr(self, name)
        value = value.value if isinstance(value, Unrendered) else value
        outputs = UpstreamOutputs(name, context)
        if is_output(value):
            return outputs.one(value)
        if type(value) in (list, tuple):
            return outputs.several(value, lambda item: self._resolve(item, context))
        return self._resolve(value, context)

    def _resolve(self, value: Any, context: Context) -> Any:
        if isinstance(value, str):
            return self.render_template(value, context)
        if _is_resolvable(value):
            return value.resolve(context)
        if type(value) in (list, tuple):
            return [self._resolve(item, context) if _may_hold_output(item) else item for item in value]
        if type(value) is dict:
            return {
                key: self._resolve(item, context) if _may_hold_output(item) else item for key, item in value.items()
            }
        return value


class CloudZeroBaseOperator(ResolvingOperator):
    """
    Base of the operators that talk to CloudZero.

    :param cloudzero_conn_id: the Airflow connection. (templated)
    """

    template_fields: Sequence[str] = ("cloudzero_conn_id",)

    def __init__(self, *, cloudzero_conn_id: str = CloudZeroHook.default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cloudzero_conn_id = cloudzero_conn_id

    @cached_property
    def cloudzero_hook(self) -> CloudZeroHook:
        """The hook of this task."""
        return CloudZeroHook(self.cloudzero_conn_id)


def _may_hold_output(value: Any) -> bool:
    return type(value) in (list, tuple, dict) or _is_resolvable(value)


def _is_resolvable(value: Any) -> bool:
    # Paths have a method resolve, too, with another meaning.
    return callable(getattr(value, "resolve", None)) and not isinstance(value, os.PathLike)
