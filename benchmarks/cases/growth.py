"""Growth: the same CSV input in several sizes, beside the plain loop."""

from __future__ import annotations

from benchmarks.cases.programs import FLOOR, OUR_BILLING, OUR_TELEMETRY, PLAIN_BILLING, PLAIN_TELEMETRY
from benchmarks.model import Case, Input, Order, Shape, Source

SIZES = (1_000, 125_000, 250_000, 500_000, 1_000_000)

CASES = tuple(
    Case("growth", programs, Input(shape, order, Source.CSV, rows))
    for shape, order, programs in (
        (Shape.TWO_COLUMNS, Order.SHUFFLED, (OUR_BILLING, FLOOR, PLAIN_BILLING)),
        (Shape.FEW_KEYS, Order.SORTED, (OUR_TELEMETRY, FLOOR, PLAIN_TELEMETRY)),
    )
    for rows in SIZES
)
