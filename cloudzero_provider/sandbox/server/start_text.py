"""What the sandbox prints when it starts: where it is, its streams, and how to connect Airflow to it."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudzero_provider.sandbox.anycost.connections import Connection
    from cloudzero_provider.sandbox.buckets.roots import BucketRoot


def start_text(url: str, connections: Sequence[Connection], key: str | None, roots: Sequence[BucketRoot] = ()) -> str:
    """
    Describe a sandbox that has started.

    :param url: where it listens.
    :param connections: its billing connections.
    :param key: an API key that it accepts; ``None`` where the text may be stored, such as in a log.
    :param roots: the bucket connections that it polls.
    """
    streams = [connection for connection in connections if connection.is_stream]
    buckets = ", ".join(f"{root.name} ({root.uri})" for root in roots)
    names = ", ".join(f"{stream.id} ({stream.name})" for stream in streams)
    fields = shlex.quote(airflow_connection(url, streams, key))
    return (
        f"CloudZero sandbox at {url}\n"
        f"AnyCost streams: {names or 'none; --connection ID creates one'}\n"
        + (f"AnyCost buckets: {buckets}\n" if buckets else "")
        + f"To connect Airflow: export AIRFLOW_CONN_CLOUDZERO_DEFAULT={fields}"
    )


def airflow_connection(url: str, streams: Sequence[Connection], key: str | None) -> str:
    """
    Return the Airflow connection to a sandbox, as JSON.

    :param url: where it listens.
    :param streams: its AnyCost streams, the first of which becomes the connection's.
    :param key: an API key that it accepts; ``None`` where the text is shown to anyone.
    """
    fields = {"conn_type": "cloudzero", "host": url, "password": key or "the key given with --api-key"}
    extra = {"extra": {"anycost_connection_id": streams[0].id}} if streams else {}
    return json.dumps(fields | extra)
