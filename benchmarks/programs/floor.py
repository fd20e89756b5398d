"""The floor: polars reads text and writes JSON, without checks, and with one body for all rows."""

from __future__ import annotations

import io
import sqlite3
from typing import TYPE_CHECKING

import polars as pl

from benchmarks.model import Input, Sink, Source, Work

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def prepare(given: Input) -> Work:
    """Return what reads and writes."""
    read = _READERS[given.source]

    def work(sink: Sink) -> None:
        written = io.BytesIO()
        read(given.path).write_ndjson(written)
        sink(written.getbuffer())

    return work


def _csv(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, infer_schema=False)


def _query(path: Path) -> pl.DataFrame:
    # read_database would import other libraries first.
    cursor = sqlite3.connect(path).execute("SELECT * FROM month")
    names = [column[0] for column in cursor.description]
    return pl.DataFrame(cursor.fetchall(), schema=names, orient="row", infer_schema_length=None)


_READERS: dict[Source, Callable[[Path], pl.DataFrame]] = {
    Source.CSV: _csv,
    Source.GZIPPED_CSV: _csv,
    Source.JSON_LINES: lambda path: pl.read_ndjson(path, infer_schema_length=None),
    Source.PARQUET: pl.read_parquet,
    Source.SQL: _query,
}
