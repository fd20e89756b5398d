"""How many rows fit a body, for programs that cut by rows."""

from __future__ import annotations

from benchmarks.model import Shape

CHUNK_ROWS = {
    Shape.TWO_COLUMNS: 50_000,
    Shape.REAL_ROWS: 10_000,
    Shape.FEW_KEYS: 3_000,
    Shape.DISTINCT_KEYS: 3_000,
}
