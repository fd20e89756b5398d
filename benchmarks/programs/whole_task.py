"""The provider's operators, from a file to the reply to the last request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

# The operators import these when a task runs.
import cloudzero_provider.anycost.send  # noqa: F401
import cloudzero_provider.telemetry.send  # noqa: F401
from benchmarks.inputs.telemetry import GRANULARITY
from benchmarks.model import MONTH, Input, Shape, Sink, Work
from benchmarks.programs.worker import execute
from cloudzero_provider.client import Client
from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator
from cloudzero_provider.operators.telemetry import TelemetrySendOperator

if TYPE_CHECKING:
    from cloudzero_provider.operators._send import CloudZeroSendOperator

STREAM_NAME = "orders"


def prepare(given: Input) -> Work:
    """Return what executes a task that sends a file."""
    task = _task(given)

    def work(sink: Sink) -> None:
        _show_bodies(sink)
        execute(task)

    return work


def _task(given: Input) -> CloudZeroSendOperator:
    source: dict[str, Any] = {"task_id": "send", "files": str(given.path), "month": MONTH}
    if given.shape in (Shape.TWO_COLUMNS, Shape.REAL_ROWS):
        return AnyCostBillingDropOperator(**source)
    return TelemetrySendOperator(
        **source, stream_name=STREAM_NAME, stream_type="allocation", granularity=GRANULARITY, operation="replace"
    )


def _show_bodies(sink: Sink) -> None:
    """Hand each body to the sink before it is sent."""
    send_drop, send_telemetry = Client.send_drop, Client.send_telemetry

    def shown_drop(client: Client, stream: str, body: bytes, **options: Any) -> Any:
        sink(body)
        return send_drop(client, stream, body, **options)

    def shown_telemetry(client: Client, *arguments: Any) -> None:
        sink(arguments[-1])
        send_telemetry(client, *arguments)

    Client.send_drop = shown_drop  # type: ignore[method-assign, assignment]
    Client.send_telemetry = shown_telemetry  # type: ignore[method-assign, assignment]
