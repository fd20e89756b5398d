"""Airflow's connections, or the environment: the stream to read, and files elsewhere."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloudzero_provider.exceptions import CloudZeroError, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

    from cloudzero_provider.client import Client
    from cloudzero_provider.sources import FileStore

KEY_VARIABLE = "CLOUDZERO_API_KEY"
_NO_CONNECTION = (
    f"No connection: give --conn-id, the id of an Airflow connection, or set {KEY_VARIABLE} in the environment."
)


@dataclass(frozen=True)
class ConnectionOptions:
    """
    How to reach CloudZero.

    :param conn_id: an Airflow connection; ``None`` for the key in the environment.
    :param anycost_connection_id: the stream; default: that of the connection's extra.
    :param host: base URL, without an Airflow connection.
    :param allow_http: whether ``http://`` to another machine is allowed, without an Airflow connection.
    :param max_retry_seconds: how long to retry a request.
    """

    conn_id: str | None
    anycost_connection_id: str | None
    host: str | None
    allow_http: bool
    max_retry_seconds: float


@dataclass(frozen=True)
class Stream:
    """An AnyCost stream, and the client to read it with."""

    client: Client
    anycost_connection_id: str


def open_stream(options: ConnectionOptions) -> Stream:
    """
    Make the client. Nothing is requested yet.

    :param options: how to reach CloudZero.
    :raises ConfigurationError: without a connection or a stream, or when one is not valid. The key is never shown.
    """
    if options.conn_id is None:
        return _from_environment(options)
    if options.host is not None or options.allow_http:
        raise ConfigurationError(f"--host and --allow-http go with {KEY_VARIABLE}; a connection has its own.")
    # Airflow logs to standard output.
    with redirect_stdout(sys.stderr):
        return _from_airflow(options.conn_id, options)


@dataclass(frozen=True)
class StreamOfConnection:
    """
    What an Airflow connection says about streams.

    :param base_url: of CloudZero.
    :param anycost_connection_id: the AnyCost stream of its extra, if it names one.
    """

    base_url: str
    anycost_connection_id: str | None


def look_up_stream(conn_id: str) -> StreamOfConnection:
    """
    Look an Airflow connection up. Its key is not used.

    :param conn_id: of the connection.
    :raises ConfigurationError: when it can't be looked up, or is not valid. The key is never shown.
    """
    # Airflow logs to standard output.
    with redirect_stdout(sys.stderr), _looked_up(conn_id):
        from cloudzero_provider.airflow_support.compat import look_up_connections_in_database
        from cloudzero_provider.hooks.cloudzero import CloudZeroHook

        look_up_connections_in_database()
        hook = CloudZeroHook(conn_id)
        return StreamOfConnection(hook.base_url, hook.default_anycost_connection_id)


def _from_environment(options: ConnectionOptions) -> Stream:
    from cloudzero_provider.client import Client
    from cloudzero_provider.client.anycost import checked_connection_id
    from cloudzero_provider.client.config import DEFAULT_BASE_URL

    key = os.environ.get(KEY_VARIABLE)
    if not key:
        raise ConfigurationError(_NO_CONNECTION)
    if not options.anycost_connection_id:
        raise ConfigurationError("No AnyCost stream: give --anycost-connection-id.")
    client = Client(
        key,
        base_url=options.host or DEFAULT_BASE_URL,
        allow_http=options.allow_http,
        max_retry_seconds=options.max_retry_seconds,
    )
    return Stream(client, checked_connection_id(options.anycost_connection_id))


def _from_airflow(conn_id: str, options: ConnectionOptions) -> Stream:
    # Airflow takes seconds to import.
    from cloudzero_provider.airflow_support.compat import look_up_connections_in_database
    from cloudzero_provider.hooks.cloudzero import CloudZeroHook

    look_up_connections_in_database()
    hook = CloudZeroHook(conn_id)
    with _looked_up(conn_id):
        client = hook.make_client(max_retry_seconds=options.max_retry_seconds)
        return Stream(client, hook.anycost_connection_id(options.anycost_connection_id))


@contextmanager
def _looked_up(conn_id: str) -> Iterator[None]:
    from airflow.providers.common.compat.sdk import AirflowNotFoundException

    try:
        yield
        return
    except CloudZeroError:
        raise
    except AirflowNotFoundException:
        problem = f"Airflow has no connection {conn_id!r}."
    except Exception as error:  # A secrets backend or a database may raise anything, and show the connection.
        problem = f"Connection {conn_id!r} can't be looked up in Airflow ({type(error).__name__})."
    raise ConfigurationError(f"{problem} Is AIRFLOW_HOME that of your Airflow?")


def object_storage() -> FileStore:
    """Return the store of files that have a URI, which Airflow opens with its connections."""
    from cloudzero_provider.airflow_support.compat import look_up_connections_in_database

    look_up_connections_in_database()
    return _Storage()


class _Storage:
    """Airflow's object storage. A connection that Airflow does not have is wrong usage."""

    def __init__(self) -> None:
        from cloudzero_provider.airflow_support.object_storage import ObjectStorage

        self._storage = ObjectStorage()

    def find(self, uri: str) -> list[str]:
        with _known_connections(uri):
            return self._storage.find(uri)

    def fetch(self, uri: str, file: IO[bytes]) -> None:
        with _known_connections(uri):
            self._storage.fetch(uri, file)


@contextmanager
def _known_connections(uri: str) -> Iterator[None]:
    from airflow.providers.common.compat.sdk import AirflowNotFoundException

    try:
        yield
    except AirflowNotFoundException as error:
        raise ConfigurationError(f"{uri}: {error}. Is AIRFLOW_HOME that of your Airflow?") from None
