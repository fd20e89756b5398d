"""
CloudZero's ll2cz, from rows of the Common Bill Format to its requests, one per day.

Its own rows come from LiteLLM's database. Here polars reads them from the file.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import httpx
import ll2cz.output
import polars as pl

if TYPE_CHECKING:
    from benchmarks.model import Input, Sink, Work


def prepare(given: Input) -> Work:
    """Return what sends the rows to a transport that only looks at the requests."""

    def work(sink: Sink) -> None:
        def reply(request: httpx.Request) -> httpx.Response:
            sink(request.content)
            return httpx.Response(200)

        ll2cz.output.httpx.Client = partial(httpx.Client, transport=httpx.MockTransport(reply))
        rows = pl.read_csv(given.path, infer_schema=False)
        ll2cz.output.CloudZeroStreamer("key", "connection").send_batched(rows)

    return work
