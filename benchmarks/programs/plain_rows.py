"""How each source is read without a library, row by row."""

from __future__ import annotations

import csv
import gzip
import json
import sqlite3
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from benchmarks.inputs.dictionaries import dictionaries
from benchmarks.model import Input, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path


def reader(given: Input) -> Callable[[], Iterable[dict[str, Any]]]:
    """Return what reads the rows; a list of dictionaries is made before."""
    if given.source is Source.DICTIONARIES:
        records = list(dictionaries(given.path))
        return lambda: records
    read = _READERS[given.source]
    return lambda: read(given.path)


def _csv(path: Path) -> Iterator[dict[str, Any]]:
    with open(path, encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _gzipped_csv(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _json_lines(path: Path) -> Iterator[dict[str, Any]]:
    with open(path, encoding="utf-8") as file:
        for line in file:
            yield json.loads(line, parse_float=Decimal)


def _query(path: Path) -> Iterator[dict[str, Any]]:
    database = sqlite3.connect(path)
    database.row_factory = sqlite3.Row
    for row in database.execute("SELECT * FROM month"):
        yield dict(row)


_READERS: dict[Source, Callable[[Path], Iterator[dict[str, Any]]]] = {
    Source.CSV: _csv,
    Source.GZIPPED_CSV: _gzipped_csv,
    Source.JSON_LINES: _json_lines,
    Source.SQL: _query,
    Source.GENERATOR: dictionaries,
}
