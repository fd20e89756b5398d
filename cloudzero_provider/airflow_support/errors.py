"""Convert errors to Airflow errors; those that a retry can't fix fail the task without retries."""

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
    Make every error of this package an Airflow error, too. It stays an instance of its own class.

    An error that a retry can't fix becomes an ``AirflowFailException``, so that Airflow does not retry it; all others
    become an ``AirflowException``, so that ``retries`` help in an outage.
    """
    try:
        yield
    except CloudZeroError as error:
        if isinstance(error, AirflowException):
            raise
        raise _as_airflow_error(error) from error.__cause__


def _as_airflow_error(error: CloudZeroError) -> CloudZeroError:
    kind = _airflow_class(type(error))
    converted = kind.__new__(kind)
    converted.args = error.args
    converted.__dict__.update(error.__dict__)
    return converted.with_traceback(error.__traceback__)


_AIRFLOW_CLASSES: dict[type[CloudZeroError], type[CloudZeroError]] = {}


def _airflow_class(kind: type[CloudZeroError]) -> type[CloudZeroError]:
    if kind not in _AIRFLOW_CLASSES:
        airflow_kind = AirflowException if kind.retry_can_help else AirflowFailException
        names = {"__module__": kind.__module__, "__doc__": kind.__doc__, "core_class": kind}
        _AIRFLOW_CLASSES[kind] = type(kind.__name__, (kind, airflow_kind), names)
    return _AIRFLOW_CLASSES[kind]
