"""Telemetry: records with few combinations of filter keys, and with a key that is distinct in each."""

from __future__ import annotations

from benchmarks.cases.programs import UCA_TOOLS, telemetry_programs
from benchmarks.model import Case, Input, Order, Shape, Source

ROWS = 1_000_000
SMALL = 10_000


def case(shape: Shape, source: Source, rows: int) -> Case:
    """Return the case of one input; records come by time, as a query returns them."""
    programs = telemetry_programs(source)
    if shape is Shape.FEW_KEYS and source in (Source.CSV, Source.JSON_LINES):
        programs += (UCA_TOOLS,)
    in_plot = rows == ROWS and source in (Source.CSV, Source.PARQUET, Source.DICTIONARIES)
    return Case("telemetry", programs, Input(shape, Order.SORTED, source, rows), in_plot=in_plot)


CASES = tuple(
    case(shape, source, rows)
    for rows in (ROWS, SMALL)
    for shape in (Shape.FEW_KEYS, Shape.DISTINCT_KEYS)
    for source in Source
)
