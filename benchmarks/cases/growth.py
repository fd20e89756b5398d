"""Growth: the same CSV input in several sizes, beside the plain loop."""

from __future__ import annotations

from benchmarks.cases.programs import FLOOR, OUR_BILLING, OUR_TELEMETRY, PLAIN_BILLING, PLAIN_TELEMETRY
from benchmarks.model import Case, Input, Order, Shape, Source

SIZES = (1_000, 125_000, 250_000, 500_000, 1_000_000)
#: More of these rows would be more than a stream accepts in a month.
REAL_SIZES = (1_000, 52_500, 105_000, 210_000)

CASES = tuple(
    Case("growth", programs, Input(shape, order, Source.CSV, rows))
    for shape, order, sizes, programs in (
        (Shape.TWO_COLUMNS, Order.SHUFFLED, SIZES, (OUR_BILLING, FLOOR, PLAIN_BILLING)),
        (Shape.REAL_ROWS, Order.SHUFFLED, REAL_SIZES, (OUR_BILLING, FLOOR, PLAIN_BILLING)),
        (Shape.FEW_KEYS, Order.SORTED, SIZES, (OUR_TELEMETRY, FLOOR, PLAIN_TELEMETRY)),
    )
    for rows in sizes
)
