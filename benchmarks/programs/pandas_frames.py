"""pandas, with the options that one would begin with: numbers become floats, and each chunk is written as records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from benchmarks.model import Input, Sink, Source, Work
from benchmarks.programs.chunks import CHUNK_ROWS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def prepare(given: Input) -> Work:
    """Return what reads and writes."""
    read = _READERS[given.source]
    rows = CHUNK_ROWS[given.shape]

    def work(sink: Sink) -> None:
        frame = read(given.path)
        for start in range(0, len(frame), rows):
            text = frame.iloc[start : start + rows].to_json(orient="records", double_precision=15, date_format="iso")
            sink(f'{{"records":{text}}}'.encode())

    return work


_READERS: dict[Source, Callable[[Path], Any]] = {
    Source.CSV: pd.read_csv,
    Source.GZIPPED_CSV: pd.read_csv,
    Source.JSON_LINES: lambda path: pd.read_json(path, lines=True),
    Source.PARQUET: pd.read_parquet,
}
