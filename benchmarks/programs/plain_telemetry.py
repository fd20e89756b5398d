"""A plain loop over telemetry records, as one writes it in a ``PythonOperator``."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from benchmarks.inputs.telemetry import FILTERS, GRANULARITY
from benchmarks.programs.plain_rows import reader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from benchmarks.model import Input, Sink, Work

_MAX_RECORDS = 3_000


def prepare(given: Input) -> Work:
    """Return the loop."""
    read = reader(given)

    def work(sink: Sink) -> None:
        for records in _chunks(_records(read())):
            sink(json.dumps({"records": records}).encode())

    return work


def _records(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    seen = set()
    for row in rows:
        filters = row["filter"] if "filter" in row else {name: [row[name]] for name in FILTERS if row[name]}
        value = Decimal(str(row["value"]))
        if value <= 0:
            raise ValueError(f"not above zero: {row}")
        identity = (row["timestamp"], row["element_name"], *(filters[name][0] for name in FILTERS if name in filters))
        if identity in seen:
            raise ValueError(f"twice: {row}")
        seen.add(identity)
        yield {
            "timestamp": row["timestamp"],
            "value": format(value, "f"),
            "granularity": GRANULARITY,
            "element_name": row["element_name"],
            "filter": filters,
        }


def _chunks(records: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    chunk: list[dict[str, Any]] = []
    for record in records:
        chunk.append(record)
        if len(chunk) == _MAX_RECORDS:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
