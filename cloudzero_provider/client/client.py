"""The client: CloudZero's endpoints on one connection pool."""

from __future__ import annotations

from typing import Any, NoReturn

from cloudzero_provider.client.anycost import AnyCostEndpoints
from cloudzero_provider.client.config import ClientConfig
from cloudzero_provider.client.retry import Sender
from cloudzero_provider.client.telemetry import TelemetryEndpoints
from cloudzero_provider.client.transport import Transport
from cloudzero_provider.values.parameters import read_number


class Client(AnyCostEndpoints, TelemetryEndpoints):
    """
    CloudZero's API. Threads may share a client; a forked process opens its own connections.

    :param api_key: the bare key.
    :param options: the other fields of :class:`~cloudzero_provider.client.config.ClientConfig`: ``base_url``,
        ``timeout``, ``max_retry_seconds``, ``settle_seconds``, ``allow_http``.
    """

    def __init__(self, api_key: str, **options: Any) -> None:
        self.config = ClientConfig(api_key, **options)
        self._transport = Transport(self.config)
        self._sender = Sender(self.config, self._transport)

    def __repr__(self) -> str:
        return f"Client(base_url={self.config.base_url!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A client holds the API key and can't be pickled: create a new one from the connection.")

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    def wait_until_settled(self, began: float) -> None:
        """Wait until a request that began at this time (``time.monotonic()``) has settled; see ``settle_seconds``."""
        why = (
            "this is not the first attempt: one before it may have left a request that is still being applied, and "
            "nothing that outlives an attempt shows whether it sent any"
        )
        self._sender.wait_until_settled(read_number("began", began), why)
