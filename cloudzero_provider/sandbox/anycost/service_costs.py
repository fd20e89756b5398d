"""A month's costs by day and service."""

from __future__ import annotations

import json
from decimal import Decimal
from threading import Lock
from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.anycost.cbf import COST, SERVICE
from cloudzero_provider.sandbox.anycost.totals import live_blocks
from cloudzero_provider.sandbox.common.exact_sums import Sums

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from cloudzero_provider.sandbox.anycost.totals import MonthVersion

# Months whose blocks are remembered: those that are looked at in turn.
_MAX_MONTHS = 8

_Blocks = dict[int, "Mapping[str, Decimal]"]


class ServiceCosts:
    """Reads the rows of each block once, so that a month that grows is not read again with each request."""

    def __init__(self) -> None:
        self._months: dict[tuple[str, str], _Blocks] = {}
        self._lock = Lock()

    def by_day(self, database: sqlite3.Connection, key: MonthVersion) -> dict[tuple[str, str], Decimal]:
        """Return the exact cost of each day and service; the service of rows without one is blank."""
        with self._lock:
            known = self._months.pop((key.stream, key.month), {})
            sums: Sums[tuple[str, str]] = Sums()
            blocks: _Blocks = {}
            for number, day in live_blocks(database, key):
                blocks[number] = known.get(number) or _read_block(database, number)
                for service, cost in blocks[number].items():
                    sums.add((day, service), cost)
            # At the end, as the one that was looked at last.
            self._months[key.stream, key.month] = blocks
            for oldest in list(self._months)[:-_MAX_MONTHS]:
                del self._months[oldest]
        return sums.as_dict()


def _read_block(database: sqlite3.Connection, number: int) -> dict[str, Decimal]:
    sums: Sums[str] = Sums()
    found = database.execute("SELECT rows FROM block_rows WHERE block_id = ?", (number,)).fetchone()
    for line in found[0].split(b"\n") if found else ():
        row = json.loads(line)
        sums.add(row.get(SERVICE, ""), Decimal(row.get(COST) or "0"))
    return sums.as_dict()
