"""Whole tasks against the sandbox on this machine, beside a bare socket that sends the same bodies."""

from __future__ import annotations

from benchmarks.cases.billing import ROWS
from benchmarks.model import OURS, Case, Input, Order, Program, Shape, Source

#: In batches of 3,000. The sandbox takes a tenth of a second for each.
RECORDS = 60_000

_P = "benchmarks.programs"
_PROGRAMS = (
    Program(OURS, f"{_P}.whole_task"),
    Program("client alone", f"{_P}.client_alone", note="the provider's client sends bodies that are made before"),
    Program("bare socket", f"{_P}.bare_socket", note="reads, checks and makes nothing: the bodies are made before"),
)

CASES = tuple(
    Case("whole-task", _PROGRAMS, given, around="benchmarks.surroundings:sandbox", in_plot=True)
    for given in (
        Input(Shape.REAL_ROWS, Order.SHUFFLED, Source.PARQUET, ROWS[Shape.REAL_ROWS]),
        Input(Shape.FEW_KEYS, Order.SORTED, Source.PARQUET, RECORDS),
    )
)
