"""Rows as dictionaries, as an API's client or another task hands them over."""

from __future__ import annotations

import csv
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from benchmarks.inputs.telemetry import FIELDS, FILTERS, GRANULARITY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_DECIMALS = ("usage/amount", "cost/cost", "cost/amortized_cost")


def dictionaries(path: Path, numbers: Callable[[str], Any] = Decimal) -> Iterator[dict[str, Any]]:
    """
    Read a CSV file as dictionaries, one at a time.

    :param path: the file.
    :param numbers: makes a cost or an amount; the values of telemetry are floats.
    """
    with open(path, encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        names = next(reader)
        for row in reader:
            yield as_dictionary(dict(zip(names, row, strict=True)), numbers)


def as_dictionary(row: dict[str, str], numbers: Callable[[str], Any]) -> dict[str, Any]:
    """
    Convert a row of text to a dictionary without empty cells; a row of telemetry to a record.

    :param row: column → text.
    :param numbers: makes a cost or an amount.
    """
    if "timestamp" in row:
        return {
            **{name: float(row[name]) if name == "value" else row[name] for name in FIELDS},
            "granularity": GRANULARITY,
            "filter": {name: [row[name]] for name in FILTERS},
        }
    return {name: numbers(value) if name in _DECIMALS else value for name, value in row.items() if value}
