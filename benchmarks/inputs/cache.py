"""
The cache of inputs.

    python -m benchmarks.inputs.cache INPUT...

writes one input. The benchmarks do so in a process of its own: until a new process runs its own program, it counts the
memory of the one that started it.
"""

from __future__ import annotations

import random
import subprocess
import sys
from operator import itemgetter
from typing import TYPE_CHECKING

from benchmarks.inputs import billing, telemetry
from benchmarks.inputs.columns import Column, Kind, Row
from benchmarks.inputs.forms import write_csv, write_json_lines, write_parquet, write_sqlite
from benchmarks.model import ROOT, Input, Order, Shape, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

SEED = 20_260_301

_SHAPES: dict[Shape, tuple[tuple[Column, ...], Callable[[int, random.Random], Iterable[Row]]]] = {
    Shape.TWO_COLUMNS: (billing.TWO_COLUMNS, billing.two_columns),
    Shape.REAL_ROWS: (billing.REAL_COLUMNS, billing.real_rows),
    Shape.FEW_KEYS: (telemetry.COLUMNS, telemetry.few_keys),
    Shape.DISTINCT_KEYS: (telemetry.COLUMNS, telemetry.distinct_keys),
}
_WRITERS: dict[str, Callable[[Path, tuple[Column, ...], Iterable[Row]], None]] = {
    Source.CSV.ending: write_csv,
    Source.GZIPPED_CSV.ending: write_csv,
    Source.JSON_LINES.ending: write_json_lines,
    Source.PARQUET.ending: write_parquet,
    Source.SQL.ending: write_sqlite,
}


def write(given: Input) -> None:
    """Draw the rows of an input, and write its file."""
    columns, drawn = _SHAPES[given.shape]
    draw = random.Random(SEED)
    rows = list(drawn(given.rows, draw))
    if given.order is Order.SHUFFLED:
        draw.shuffle(rows)
    else:
        rows.sort(key=itemgetter(next(place for place, column in enumerate(columns) if column.kind is Kind.TIME)))
    given.folder.mkdir(parents=True, exist_ok=True)
    # A file that is there is complete.
    unfinished = given.path.with_name(f"unfinished-{given.path.name}")
    _WRITERS[given.source.ending](unfinished, columns, rows)
    unfinished.replace(given.path)


def ensure(given: Input) -> None:
    """Write the file of an input unless it is there."""
    if not given.path.exists():
        subprocess.run([sys.executable, "-m", "benchmarks.inputs.cache", *given.arguments], cwd=ROOT, check=True)
    # The first program to read it would otherwise wait for the disk.
    with open(given.path, "rb") as file:
        while file.read(1 << 20):
            pass


if __name__ == "__main__":
    write(Input.parse(*sys.argv[1:]))
