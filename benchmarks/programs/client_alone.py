"""The provider's client sends finished bodies."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from benchmarks.model import Input, Shape, Sink, Work
from benchmarks.programs import our_billing, our_telemetry
from benchmarks.programs.whole_task import STREAM_NAME
from benchmarks.surroundings import ADDRESS, KEY, STREAM
from cloudzero_provider.client import Client, Effect
from cloudzero_provider.client.telemetry import StreamType, TelemetryOperation

if TYPE_CHECKING:
    from collections.abc import Callable

BILLING = (Shape.TWO_COLUMNS, Shape.REAL_ROWS)


def prepare(given: Input) -> Work:
    """Return what sends the bodies, which are made before."""
    bodies = finished_bodies(given)
    client = Client(KEY, base_url=os.environ[ADDRESS])
    send = _sender(client, given)

    def work(sink: Sink) -> None:
        for body in bodies:
            sink(body)
            send(body)

    return work


def finished_bodies(given: Input) -> list[bytes]:
    """Make the bodies that the task would send."""
    bodies: list[bytes] = []
    program = our_billing if given.shape in BILLING else our_telemetry
    program.prepare(given)(lambda body: bodies.append(bytes(body)))
    return bodies


def _sender(client: Client, given: Input) -> Callable[[bytes], object]:
    if given.shape in BILLING:
        return lambda body: client.send_drop(STREAM, body, effect=Effect.REPEATABLE)
    return lambda body: client.send_telemetry(StreamType.ALLOCATION, STREAM_NAME, TelemetryOperation.REPLACE, body)
