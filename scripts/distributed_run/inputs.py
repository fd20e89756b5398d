"""The files of a distributed run, and what CloudZero must hold after it, calculated without the package."""

from __future__ import annotations

import random
from calendar import monthrange
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from distributed_run.dags.distributed_streams import Kind, Stream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SERVICES = ("Compute", "Object Storage", "Data Transfer", "Managed Database")
TEAMS = ("search", "checkout", "billing")
_COST = "cost/cost"
_BILL = ("time/usage_start", "resource/id", "resource/service", _COST)
#: The filter column of each kind of telemetry.
FILTERS = {Kind.METRIC: "custom:Team", Kind.ALLOCATION: "accounts"}


@dataclass(frozen=True)
class Month:
    """
    A stream's month.

    :param columns: names of the columns of the file.
    :param rows: the cells of each row; the last one is the amount.
    """

    stream: Stream
    month: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def total(self) -> Fraction:
        """The sum of the amounts."""
        return sum((Fraction(row[-1]) for row in self.rows), Fraction(0))

    def counted(self) -> Counter[tuple[str, ...]]:
        """Each row, with its amount as a normal decimal, and how often it occurs."""
        return Counter((*row[:-1], plain(row[-1])) for row in self.rows)

    def csv(self) -> bytes:
        """The file."""
        return "".join(f"{','.join(cells)}\n" for cells in (self.columns, *self.rows)).encode()


def month_of(stream: Stream, month: str) -> Month:
    """
    Make a month: the same each time.

    :param stream: the stream.
    :param month: such as ``2025-12``.
    """
    draw = random.Random(f"{stream.name} {month}")
    days = [f"{month}-{day:02d}" for day in range(1, monthrange(int(month[:4]), int(month[5:]))[1] + 1)]
    if stream.kind is Kind.BILL:
        return Month(stream, month, _BILL, tuple(_bill(days, draw)))
    lines = [(day, team) for day in days for team in TEAMS]
    if stream.kind is Kind.METRIC:
        metrics = tuple((day, team, str(draw.randint(1, 10**9))) for day, team in lines)
        return Month(stream, month, ("timestamp", FILTERS[stream.kind], "value"), metrics)
    amounts = tuple((day, team, "1122", f"{draw.randint(1, 10**12)}.25") for day, team in lines)
    return Month(stream, month, ("timestamp", "element_name", FILTERS[stream.kind], "value"), amounts)


def _bill(days: list[str], draw: random.Random) -> Iterator[tuple[str, ...]]:
    """Make a row per hour; a tenth of them are credits."""
    for day in days:
        for hour in range(24):
            sign = -1 if draw.random() < 0.1 else 1
            cost = sign * Decimal(draw.randint(1, 10**11)).scaleb(-9)
            resource = f"instance/i-{draw.randrange(16**8):08x}"
            yield f"{day}T{hour:02d}:00:00Z", resource, draw.choice(SERVICES), f"{cost:f}"


def held_bill(rows: list[dict[str, str]]) -> Counter[tuple[str, ...]]:
    """
    Count the rows that CloudZero holds of a month, as ``Month.counted`` does.

    :param rows: as the sandbox lists them.
    """
    return Counter(tuple(plain(row[name]) if name == _COST else row[name] for name in _BILL) for row in rows)


def held_usage(stream: Stream, records: list[dict[str, object]], month: str) -> Counter[tuple[str, ...]]:
    """
    Count the records that CloudZero holds of a month, as ``Month.counted`` does.

    :param stream: a telemetry stream.
    :param records: all of the stream, as the sandbox lists them.
    :param month: only those in it.
    """
    return Counter(_record(stream, record) for record in records if str(record["timestamp"]).startswith(month))


def _record(stream: Stream, record: Mapping[str, object]) -> tuple[str, ...]:
    keys = record["keys"]
    if not isinstance(keys, dict):
        raise TypeError(f"the sandbox shows {keys!r} instead of filter keys")
    day, value = str(record["timestamp"])[:10], plain(str(record["value"]))
    filters = _one(keys[FILTERS[stream.kind]])
    return (day, filters, value) if stream.kind is Kind.METRIC else (day, str(record["element_name"]), filters, value)


def _one(value: str | list[str]) -> str:
    return value if isinstance(value, str) else ",".join(value)


def differences(month: Month, held: Counter[tuple[str, ...]], rows: int, total: Fraction) -> list[str]:
    """
    Say how what CloudZero holds of a month differs from the file.

    :param month: the file.
    :param held: the rows that CloudZero holds, counted.
    :param rows: how many rows it says that it holds.
    :param total: what it says that they sum up to.
    """
    name, given = f"{month.stream.name} {month.month}", month.counted()
    problems = [f"{name}: {count} × {row} is missing" for row, count in list((given - held).items())[:3]]
    problems += [f"{name}: {count} × {row} is too much" for row, count in list((held - given).items())[:3]]
    if rows != len(month.rows):
        problems.append(f"{name}: {rows} rows instead of {len(month.rows)}")
    if total != month.total:
        problems.append(f"{name}: the total is {float(total)} instead of {float(month.total)}")
    return problems


def plain(amount: str) -> str:
    """Write a decimal without exponent and trailing zeros."""
    text = f"{Decimal(amount):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
