"""Errors as Airflow takes them: what a retry can't help fails the task for good."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from cloudzero_provider.exceptions import CloudZeroError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def airflow_failures() -> Iterator[None]:
    """
    Give every error of this package Airflow's kind as well.

    What a retry can't help becomes an ``AirflowFailException`` too, so that Airflow does not retry it; all others
    become an ``AirflowException``, so that ``retries`` heal an outage. Either stays an instance of its own class.
    """
    try:
        yield
    except CloudZeroError as error:
        if isinstance(error, AirflowException):
            raise
        raise _with_airflow_kind(error) from error.__cause__


def _with_airflow_kind(error: CloudZeroError) -> CloudZeroError:
    kind = _mixed(type(error))
    mixed = kind.__new__(kind)
    mixed.args = error.args
    mixed.__dict__.update(error.__dict__)
    return mixed.with_traceback(error.__traceback__)


_KINDS: dict[type[CloudZeroError], type[CloudZeroError]] = {}


def _mixed(kind: type[CloudZeroError]) -> type[CloudZeroError]:
    if kind not in _KINDS:
        airflow_kind = AirflowException if kind.retry_can_help else AirflowFailException
        names = {"__module__": kind.__module__, "__doc__": kind.__doc__, "core_class": kind}
        _KINDS[kind] = type(kind.__name__, (kind, airflow_kind), names)
    return _KINDS[kind]
