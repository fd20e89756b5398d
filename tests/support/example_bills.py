"""Compares the bills that example DAGs send with what the sandbox holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction

from support.sandbox_server import SandboxServer


def total(rows: Iterable[Mapping[str, str]]) -> Fraction:
    return sum((Fraction(row["cost/cost"]) for row in rows), Fraction())


def assert_holds(sandbox: SandboxServer, month: str, rows: list[dict[str, str]]) -> None:
    """CloudZero holds these rows, each once, with every value as in the bill."""
    held = sandbox.month(month)
    assert held["rows"] == len(rows)
    assert Fraction(held["total_cost"]) == total(rows)
    assert as_set(sandbox.rows(month)) == as_set(rows)


def as_set(rows: Iterable[Mapping[str, str]]) -> set[frozenset[tuple[str, str | Fraction]]]:
    """Rows without blanks; numbers by value, since ``1.10`` and ``1.1`` are the same money."""
    return {
        frozenset(
            (name, Fraction(value) if name in {"cost/cost", "usage/amount"} else value)
            for name, value in row.items()
            if value
        )
        for row in rows
    }


def digests(sandbox: SandboxServer) -> dict[str, str]:
    """The digest of each month."""
    return {month: held["digest"] for month, held in sandbox.months().items()}
