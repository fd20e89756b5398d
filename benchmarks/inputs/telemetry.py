"""Allocation records of a month, as a table with two filter columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.inputs.columns import HOURS, Column, Kind, Row

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

FIELDS = ("timestamp", "value", "element_name")
#: The filter columns. CloudZero's own tool needs names that are identifiers.
FILTERS = ("Region", "Resource")
COLUMNS = (
    Column("timestamp", Kind.TIME),
    Column("value", Kind.FLOAT),
    *map(Column, ("element_name", *FILTERS)),
)
GRANULARITY = "HOURLY"

_REGIONS = ["eu-north-1", "us-east-1", "us-west-2", "ap-south-1"]
_RESOURCES = [f"cluster-{number}" for number in range(6)]
#: So many that a million records have an hour and an element of their own each.
_ELEMENTS = 1_345


def few_keys(rows: int, draw: random.Random) -> Iterator[Row]:
    """Draw records with 12 combinations of filter keys in all."""
    for index in range(rows):
        hour, element = index // _ELEMENTS, index % _ELEMENTS
        yield (
            HOURS[hour],
            _value(draw),
            f"customer-{element}",
            _REGIONS[element % len(_REGIONS)],
            _RESOURCES[element % len(_RESOURCES)],
        )


def distinct_keys(rows: int, draw: random.Random) -> Iterator[Row]:
    """Draw records of which each has a resource of its own."""
    for index in range(rows):
        yield (
            HOURS[index * len(HOURS) // rows],
            _value(draw),
            f"customer-{draw.randrange(200)}",
            draw.choice(_REGIONS),
            f"i-{index * 48_271:012x}",
        )


def _value(draw: random.Random) -> float:
    """Draw a whole number, an amount of money, or a float with all its digits."""
    kind = draw.randrange(3)
    if kind == 0:
        return float(draw.randrange(1, 100_000))
    if kind == 1:
        return draw.randrange(1, 1_000_000) / 100
    return draw.uniform(0.001, 10_000)
