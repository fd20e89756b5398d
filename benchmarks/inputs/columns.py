"""Columns of inputs, and their values as text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum

#: A value of an input; ``None`` where a cell is empty.
Value = str | float | Decimal | datetime | None
Row = tuple[Value, ...]

_START = datetime(2026, 3, 1, tzinfo=timezone.utc)
HOURS = tuple(_START + timedelta(hours=hour) for hour in range(31 * 24))
_HOUR_TEXTS = {hour: hour.strftime("%Y-%m-%dT%H:%M:%SZ") for hour in HOURS}


class Kind(Enum):
    """The type of a column where a file has types."""

    TEXT = "text"
    TIME = "time"
    DECIMAL = "decimal"
    FLOAT = "float"


@dataclass(frozen=True)
class Column:
    """
    A column of an input.

    :param name: as in the file.
    :param kind: type of its values.
    :param scale: digits behind the point of a decimal.
    """

    name: str
    kind: Kind = Kind.TEXT
    scale: int = 0


def as_text(value: Value) -> str:
    """Write a value as a CSV file has it: no exponents, and no more digits than CloudZero keeps of a float."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return _HOUR_TEXTS[value]
    return format(value, "f") if isinstance(value, Decimal) else f"{value:.15g}"
