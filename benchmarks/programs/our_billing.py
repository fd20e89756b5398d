"""The provider, for billing rows: read, check, plan, and make every body."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from benchmarks.model import MONTH, Input, Sink, Source, Work
from cloudzero_provider.anycost.checks import check_rows
from cloudzero_provider.anycost.plan import Operation, make_plan
from cloudzero_provider.months import Month
from cloudzero_provider.sources import Rows, from_cursor, from_files, from_records

if TYPE_CHECKING:
    from collections.abc import Callable


def prepare(given: Input) -> Work:
    """Return what makes the bodies of a month, as the operator does."""
    read = reader(given)

    def work(sink: Sink) -> None:
        plan = make_plan(check_rows(read(), Month.parse(MONTH)), Operation.REPLACE_DROP)
        for body in plan.bodies():
            sink(body)

    return work


def reader(given: Input) -> Callable[[], Rows]:
    """Return what reads the rows; a list of dictionaries is made before."""
    if given.source in (Source.DICTIONARIES, Source.GENERATOR):
        return _of_dictionaries(given)
    if given.source is Source.SQL:
        return lambda: _of_query(given)
    return lambda: from_files([str(given.path)])


def _of_dictionaries(given: Input) -> Callable[[], Rows]:
    # What draws the inputs is imported only by the cases that need it.
    from benchmarks.inputs.dictionaries import dictionaries

    if given.source is Source.GENERATOR:
        return lambda: from_records(dictionaries(given.path))
    records = list(dictionaries(given.path))
    return lambda: from_records(records)


def _of_query(given: Input) -> Rows:
    rows = from_cursor(sqlite3.connect(given.path).execute("SELECT * FROM month"))
    assert rows is not None
    return rows
