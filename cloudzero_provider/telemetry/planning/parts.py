"""Records and their exact total, by period and by element or filter keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloudzero_provider.telemetry.planning.periods import MOST_PERIODS, Unit, finest_unit
from cloudzero_provider.values.decimal_strings import decimal_string, difference, sum_of
from cloudzero_provider.values.exact_sums import sums_by_value

if TYPE_CHECKING:
    import polars as pl

    from cloudzero_provider.telemetry.checks import CheckedRecords

MOST_VALUES = 20
#: Element names and filter keys have no limit, but a report has to stay small.
_LONGEST_VALUE = 256


@dataclass(frozen=True)
class Part:
    """
    Some of the records.

    :param name: their period, element, or filter keys as JSON; ``None`` for records without.
    :param records: how many.
    :param total: exact sum of their values, as a decimal string.
    """

    name: str | None
    records: int
    total: str


@dataclass(frozen=True)
class Parts:
    """
    All of the records, in parts.

    :param listed: the parts that are listed.
    :param others: how many are not.
    :param other_records: number of records of those.
    :param other_total: exact sum of their values, as a decimal string.
    """

    listed: tuple[Part, ...]
    others: int = 0
    other_records: int = 0
    other_total: str = "0"

    def as_dict(self, name: str) -> dict[str, Any]:
        """
        Return plain JSON values.

        :param name: what a part is: ``period`` or ``value``.
        """
        others = {f"{name}s": self.others, "records": self.other_records, "total": self.other_total}
        return {
            f"{name}s": [{name: _cut(one.name), "records": one.records, "total": one.total} for one in self.listed],
            "others": others if self.others else None,
        }


def _cut(name: str | None) -> str | None:
    return name if name is None or len(name) <= _LONGEST_VALUE else f"{name[: _LONGEST_VALUE - 1]}…"


@dataclass(frozen=True)
class RecordParts:
    """
    The records by period, and by element or filter keys.

    :param unit: of the periods: the finest that has few enough to be listed.
    :param by_period: the first 31 periods.
    :param by: ``element_name`` or ``associated_cost``.
    :param by_value: the 20 with the largest totals.
    """

    unit: Unit
    by_period: Parts
    by: str
    by_value: Parts


def parts_of(records: CheckedRecords) -> RecordParts:
    """
    Count records and sum their values, by period and by element or filter keys.

    :param records: the checked records.
    """
    kind, frame = records.rules.kind, records.frame
    unit = finest_unit(records.periods, records.granularity)
    values = frame["element_name" if kind.has_element else "keys"]
    periods, others = sums_by_value(frame["value"], [unit.names_of(frame["timestamp"]), values])
    return RecordParts(
        unit=unit,
        by_period=_parts(periods.by_value().head(MOST_PERIODS), periods.count, records),
        by="element_name" if kind.has_element else kind.keys_field,
        by_value=_parts(others.largest(MOST_VALUES), others.count, records),
    )


def _parts(found: pl.DataFrame, count: int, records: CheckedRecords) -> Parts:
    """
    List parts, and sum the others: they are what is left of all records.

    :param found: those to list.
    :param count: number of all parts.
    """
    listed = tuple(Part(*values) for values in found.iter_rows())
    listed_total = sum_of(*(one.total for one in listed))
    return Parts(
        listed=listed,
        others=count - len(listed),
        other_records=records.frame.height - sum(one.records for one in listed),
        other_total=decimal_string(difference(records.total, listed_total)),
    )
