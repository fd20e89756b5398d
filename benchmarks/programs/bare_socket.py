"""A bare socket sends finished bodies on one connection, and reads replies as far as it must."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from benchmarks.programs.client_alone import BILLING, finished_bodies
from benchmarks.programs.whole_task import STREAM_NAME
from benchmarks.surroundings import ADDRESS, KEY, STREAM

if TYPE_CHECKING:
    from benchmarks.model import Input, Sink, Work


def prepare(given: Input) -> Work:
    """Return what sends the bodies, which are made before."""
    bodies = finished_bodies(given)
    server = urlsplit(os.environ[ADDRESS])
    drops = f"/v2/connections/billing/anycost/{STREAM}/billing_drops"
    path = drops if given.shape in BILLING else f"/unit-cost/v1/telemetry/allocation/{STREAM_NAME}/replace"
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {server.netloc}\r\nAuthorization: {KEY}\r\nContent-Type: application/json\r\n"
    )

    def work(sink: Sink) -> None:
        with socket.create_connection((str(server.hostname), server.port or 80)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for body in bodies:
                sink(body)
                connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode())
                connection.sendall(body)
                _read_reply(connection)

    return work


def _read_reply(connection: socket.socket) -> None:
    received = b""
    while b"\r\n\r\n" not in received:
        received += _received(connection)
    headers, _, content = received.partition(b"\r\n\r\n")
    status, *lines = headers.lower().split(b"\r\n")
    if not status.startswith(b"http/1.1 20"):
        raise RuntimeError(f"the sandbox replied {status.decode()}: {content.decode()}")
    length = next(int(line.partition(b":")[2]) for line in lines if line.startswith(b"content-length:"))
    while len(content) < length:
        content += _received(connection)


def _received(connection: socket.socket) -> bytes:
    piece = connection.recv(65_536)
    if not piece:
        raise RuntimeError("the sandbox closed the connection")
    return piece
