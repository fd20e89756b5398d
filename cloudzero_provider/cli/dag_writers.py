"""The tasks of DAGs that write streams, and which streams these are, as far as the DAGs say."""

from __future__ import annotations

import inspect
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cloudzero_provider.cli.stream_writers import Stream, StreamKind, Writer
from cloudzero_provider.exceptions import ConfigurationError
from cloudzero_provider.values.parameters import read_bool

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cloudzero_provider.cli.connection import StreamOfConnection

_TEMPLATE = ("{{", "{%", "{#")
_ARGUMENTS = {
    StreamKind.ANYCOST: ("cloudzero_conn_id", "anycost_connection_id", "check_only"),
    StreamKind.TELEMETRY: ("cloudzero_conn_id", "stream_name", "stream_type", "check_only"),
}


class _UnknownStreamError(Exception):
    """What a task writes is only known when it runs; the text says why."""


@dataclass
class Connections:
    """
    Airflow's connections, each looked up once.

    :param problems: why connections can't be looked up, by id.
    """

    problems: dict[str, str] = field(default_factory=dict)
    _found: dict[str, StreamOfConnection] = field(default_factory=dict)

    def find(self, conn_id: str) -> StreamOfConnection | None:
        """
        Look a connection up.

        :param conn_id: of the connection.
        :return: what it says about streams; ``None`` when it can't be looked up.
        """
        from cloudzero_provider.cli.connection import look_up_stream

        if conn_id not in self._found and conn_id not in self.problems:
            try:
                self._found[conn_id] = look_up_stream(conn_id)
            except ConfigurationError as error:
                self.problems[conn_id] = str(error)
        return self._found.get(conn_id)


def find_writers(dags: Iterable[Any], connections: Connections) -> list[Writer]:
    """
    Return the tasks that write streams, in the order of their files and DAGs.

    :param dags: as Airflow parsed them.
    :param connections: for the streams that they name by default.
    """
    found = [
        _writer(dag, task, kind, connections)
        for dag in dags
        for task in dag.tasks
        if (kind := _kind_of(task)) is not None
    ]
    writers = [writer for writer in found if writer is not None]
    return sorted(writers, key=lambda writer: (writer.file, writer.dag_id, writer.task_id))


def _kind_of(task: Any) -> StreamKind | None:
    from cloudzero_provider.airflow_support.compat import operator_class
    from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator
    from cloudzero_provider.operators.telemetry import TelemetrySendOperator

    if issubclass(operator_class(task), AnyCostBillingDropOperator):
        return StreamKind.ANYCOST
    return StreamKind.TELEMETRY if issubclass(operator_class(task), TelemetrySendOperator) else None


def _writer(dag: Any, task: Any, kind: StreamKind, connections: Connections) -> Writer | None:
    """Return a task as a writer; ``None`` when it only checks."""
    streams, unknown = {}, {}
    for arguments in _possible_arguments(task, _ARGUMENTS[kind]):
        if _only_checks(arguments["check_only"]):
            continue
        try:
            streams[_stream(kind, arguments, connections)] = True
        except _UnknownStreamError as error:
            unknown[str(error)] = True
    if not streams and not unknown:
        return None
    return Writer(
        file=_shown_path(dag.fileloc),
        dag_id=dag.dag_id,
        task_id=task.task_id,
        pool=task.pool,
        pool_slots=task.pool_slots,
        one_at_a_time=task.max_active_tis_per_dag == 1,
        kind=kind,
        streams=tuple(streams),
        unknown=tuple(unknown),
    )


def _only_checks(check_only: Any) -> bool:
    try:
        return read_bool("check_only", check_only, templated=True)
    except ConfigurationError:
        # A template, which may turn out false.
        return False


def _possible_arguments(task: Any, names: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    from cloudzero_provider.airflow_support.compat import operator_class
    from cloudzero_provider.airflow_support.compat_dags import possible_arguments

    defaults = _defaults_of(operator_class(task))
    for arguments in possible_arguments(task, names):
        yield {name: arguments.get(name, defaults.get(name)) for name in names}


def _defaults_of(operator: type[Any]) -> dict[str, Any]:
    """Return the defaults of an operator's arguments: those of its own class before those of its bases."""
    defaults: dict[str, Any] = {}
    for kind in reversed(operator.__mro__):
        if "__init__" in vars(kind):
            parameters = inspect.signature(vars(kind)["__init__"]).parameters.values()
            defaults |= {each.name: each.default for each in parameters if each.default is not each.empty}
    return defaults


def _stream(kind: StreamKind, arguments: Mapping[str, Any], connections: Connections) -> Stream:
    conn_id = _text("cloudzero_conn_id", arguments["cloudzero_conn_id"])
    # Not looked up before the rest is known: a look-up takes time, and may fail.
    if kind is StreamKind.TELEMETRY:
        name, stream_type = (_text(key, arguments[key]) for key in ("stream_name", "stream_type"))
        connection = connections.find(conn_id)
        return Stream(kind, f"{stream_type} {name}", conn_id, connection.base_url if connection else None, name)
    given = arguments["anycost_connection_id"]
    stream_id = _text("anycost_connection_id", given) if given else None
    connection = connections.find(conn_id)
    base_url = connection.base_url if connection else None
    if stream_id is None and connection is not None:
        stream_id = connection.anycost_connection_id
        if stream_id is None:
            raise _UnknownStreamError(f"connection {conn_id} names no AnyCost stream in its extra, nor does the task")
    if stream_id is None:
        return Stream(kind, f"of connection {conn_id}", conn_id, None, None)
    return Stream(kind, stream_id, conn_id, base_url, stream_id)


def _text(name: str, value: Any) -> str:
    from cloudzero_provider.airflow_support.compat_dags import UNKNOWN

    if value is UNKNOWN:
        raise _UnknownStreamError(f"{name} may come from an upstream task")
    if not isinstance(value, str):
        raise _UnknownStreamError(f"{name} is of type {type(value).__name__}")
    if any(sign in value for sign in _TEMPLATE):
        raise _UnknownStreamError(f"{name} is the template {value!r:.80}")
    return value


def _shown_path(path: str) -> str:
    """Return the path of a file: relative, if it is in this folder."""
    relative = os.path.relpath(path)
    return path if relative.startswith(os.pardir) else relative
