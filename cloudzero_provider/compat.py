"""What differs between the lines of Airflow. Names that moved come from ``airflow.providers.common.compat.sdk``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


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
