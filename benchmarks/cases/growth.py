"""Growth: the same input in several sizes, beside the plain loop; and several months in one process."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.cases import billing
from benchmarks.cases.programs import FLOOR, OUR_BILLING, OUR_TELEMETRY, PLAIN_BILLING, PLAIN_TELEMETRY
from benchmarks.model import Case, Input, Order, Program, Shape, Source

SIZES = (1_000, 125_000, 250_000, 500_000, 1_000_000)
#: More of these rows would be more than a stream accepts in a month.
REAL_SIZES = (1_000, 52_500, 105_000, 210_000)

_SIZES = tuple(
    Case("growth", programs, Input(shape, order, Source.CSV, rows))
    for shape, order, sizes, programs in (
        (Shape.TWO_COLUMNS, Order.SHUFFLED, SIZES, (OUR_BILLING, FLOOR, PLAIN_BILLING)),
        (Shape.REAL_ROWS, Order.SHUFFLED, REAL_SIZES, (OUR_BILLING, FLOOR, PLAIN_BILLING)),
        (Shape.FEW_KEYS, Order.SORTED, SIZES, (OUR_TELEMETRY, FLOOR, PLAIN_TELEMETRY)),
    )
    for rows in sizes
)


def _months(program: Program, given: Input) -> Case:
    """Return the case of a backfill: the same month again and again, in one process, beside fewer months."""
    fewer = (
        replace(program, name=f"{months} month{'s' * (months > 1)}", repeat=months, note="of the eight, in one process")
        for months in (4, 2, 1)
    )
    title = f"eight-months/{given.shape.value}"
    return Case("growth", (replace(program, repeat=8), *fewer), given, title=title, in_plot=True)


CASES = (
    *_SIZES,
    _months(OUR_BILLING, Input(Shape.REAL_ROWS, Order.SHUFFLED, Source.CSV, billing.ROWS[Shape.REAL_ROWS])),
    _months(OUR_TELEMETRY, Input(Shape.FEW_KEYS, Order.SORTED, Source.CSV, 210_000)),
)
