"""A plain loop over billing rows, as one writes it in a ``PythonOperator``."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from benchmarks.model import MONTH
from benchmarks.programs.plain_rows import reader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from benchmarks.model import Input, Sink, Work

_MAX_BYTES = 4_500_000
_DECIMALS = ("usage/amount", "cost/cost", "cost/amortized_cost")


def prepare(given: Input) -> Work:
    """Return the loop."""
    read = reader(given)

    def work(sink: Sink) -> None:
        for body in _bodies(_items(read())):
            sink(body)

    return work


def _items(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, str]]:
    for row in rows:
        item = {name: value for name, value in row.items() if value not in (None, "")}
        if not item["time/usage_start"].startswith(MONTH):
            raise ValueError(f"not in {MONTH}: {row}")
        for name in _DECIMALS:
            if name in item:
                item[name] = format(Decimal(item[name]), "f")
        yield item


def _bodies(items: Iterable[dict[str, str]]) -> Iterator[bytes]:
    texts: list[str] = []
    size = 0
    operation = "replace_drop"
    for item in items:
        text = json.dumps(item)
        if texts and size + len(text) + 1 > _MAX_BYTES:
            yield _body(operation, texts)
            texts, size, operation = [], 0, "sum"
        texts.append(text)
        size += len(text) + 1
    yield _body(operation, texts)


def _body(operation: str, texts: list[str]) -> bytes:
    return f'{{"month":"{MONTH}","operation":"{operation}","data":[{",".join(texts)}]}}'.encode()
