"""Billing rows: two shapes at about the most that a stream accepts in a month, and small months."""

from __future__ import annotations

from benchmarks.cases.programs import LL2CZ, billing_programs
from benchmarks.model import Case, Input, Order, Shape, Source

ROWS = {Shape.TWO_COLUMNS: 1_000_000, Shape.REAL_ROWS: 210_000}
SMALL = 10_000


def case(shape: Shape, order: Order, source: Source, rows: int) -> Case:
    """Return the case of one input."""
    programs = billing_programs(source)
    if source is Source.CSV and order is Order.SORTED:
        programs += (LL2CZ,)
    in_plot = rows == ROWS[shape] and source in (Source.CSV, Source.PARQUET)
    return Case("billing", programs, Input(shape, order, source, rows), in_plot=in_plot)


CASES = (
    *(case(shape, order, source, ROWS[shape]) for shape in ROWS for order in Order for source in Source),
    *(case(shape, Order.SHUFFLED, source, SMALL) for shape in ROWS for source in Source),
)
