"""
CloudZero's cloudzero-uca-tools, from a file to its requests of 3,000 records.

A CSV file is read and converted as by its command ``convert``, whose records are put together to bodies without cost;
records in JSON lines are read and sent as by ``transmit``.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import requests
from uca.common.files import load_data_files
from uca.common.formatters import chunks
from uca.constants import UCA_API_BATCH_SIZE
from uca.features.convert import convert
from uca.interfaces import uca_api

from benchmarks.inputs.telemetry import FILTERS, GRANULARITY
from benchmarks.model import Input, Sink, Source, Work

if TYPE_CHECKING:
    from collections.abc import Callable

_CONFIGURATION = SimpleNamespace(
    granularity=GRANULARITY,
    settings={"convert": {"format": "CSV", "schema": {"columns": {"value": {"type": "NUMBER"}}}}},
    template={
        "timestamp": "$timestamp",
        "granularity": GRANULARITY,
        "element_name": "$element_name",
        "filter": {name: [f"${name}"] for name in FILTERS},
        "value": "$value",
    },
)


def prepare(given: Input) -> Work:
    """Return what reads, converts and sends."""
    return _convert(given) if given.source is Source.CSV else _transmit(given)


def _convert(given: Input) -> Work:
    def work(sink: Sink) -> None:
        converted = convert(load_data_files(str(given.path), "CSV"), _CONFIGURATION)
        for chunk in chunks(converted, UCA_API_BATCH_SIZE):
            sink(f'{{"records":[{",".join(chunk)}]}}'.encode())

    return work


def _transmit(given: Input) -> Work:
    def work(sink: Sink) -> None:
        uca_api.requests = SimpleNamespace(post=_looking_at(sink))
        records = load_data_files(str(given.path), "JSON")
        uca_api.send_uca_events("stream", "allocation", "replace", "key", records)

    return work


def _looking_at(sink: Sink) -> Callable[..., requests.Response]:
    """Return what stands in for ``requests.post``: it encodes the request, and does not send it."""

    def post(url: str, **options: Any) -> requests.Response:
        body = requests.Request("POST", url, **options).prepare().body
        assert isinstance(body, bytes)
        sink(body)
        response = requests.Response()
        response.status_code = 200
        return response

    return post
