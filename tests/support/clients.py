"""The core without Airflow: a client of the sandbox, and servers with the replies that a test sets."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Any

from cloudzero_provider.client import Client
from support.raw_server import answer, raw_server, read_all
from support.sandbox_server import KEY, STREAM, SandboxServer

#: Long enough to be measured in a test, and short enough to wait for.
SETTLE = 0.3


def client_of(url: str, **options: Any) -> Client:
    return Client(KEY, base_url=url, **{"max_retry_seconds": 2, "settle_seconds": SETTLE, "timeout": 5, **options})


def paths(sandbox: SandboxServer) -> list[str]:
    """The last part of each requested path, in order."""
    return [f"{request['method']} {request['path'].rsplit('/', 1)[1]}" for request in sandbox.requests()]


@contextlib.contextmanager
def answering(answers: Callable[[str, bytes], Any], **options: Any) -> Iterator[Client]:
    """A client of a server whose replies are ``answers(request line, body)``, as JSON."""

    def behave(connection: Any, head: bytes) -> None:
        body = read_all(connection, head)
        line = head.split(b"\r\n", 1)[0].decode().rsplit(" ", 1)[0]
        connection.sendall(answer(200, json.dumps(answers(line, body)).encode()))

    with raw_server(behave) as url:
        yield client_of(url, **options)


__all__ = ["KEY", "SETTLE", "STREAM", "answering", "client_of", "paths"]
