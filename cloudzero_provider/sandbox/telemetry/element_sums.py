"""A telemetry stream's values by time and element."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.common.exact_sums import Sums
from cloudzero_provider.sandbox.telemetry.totals import VISIBLE

if TYPE_CHECKING:
    import sqlite3

    from cloudzero_provider.sandbox.telemetry.store import TelemetryStream


def sum_elements(
    database: sqlite3.Connection, stream: TelemetryStream, period: str, digits: int
) -> dict[tuple[str, str], Decimal]:
    """
    Return the exact sum of each time and element; a metric's element is blank.

    :param database: where the records are.
    :param stream: whose they are.
    :param period: how the timestamps begin, such as ``2024-09``.
    :param digits: how much of a timestamp is the time: 10 for its day, 7 for its month.
    """
    sums: Sums[tuple[str, str]] = Sums()
    # "-" to "." holds every timestamp that continues the period, and lets SQLite use the index.
    query = f"SELECT {VISIBLE} AND timestamp >= ? AND timestamp < ?"
    found = database.execute(query, (stream.number, f"{period}-", f"{period}."))
    for timestamp, element, _, value in found:
        sums.add((timestamp[:digits], element), Decimal(value))
    return sums.as_dict()
