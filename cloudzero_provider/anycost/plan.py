"""The plan of a month: the ordered requests that send it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from cloudzero_provider.anycost.columns import BUCKET_PAGE, COST, SEND_PAGE, USAGE_START
from cloudzero_provider.anycost.json_rows import json_rows
from cloudzero_provider.exceptions import ConfigurationError, InputError, MonthTooLargeError, Problem
from cloudzero_provider.months import Month
from cloudzero_provider.values.json_objects import JsonObjects
from cloudzero_provider.values.limits import LARGEST_BODY, MAX_BODY_BYTES, MAX_MONTH_BYTES, MAX_MONTH_ROWS
from cloudzero_provider.values.parallel import in_parallel
from cloudzero_provider.values.parameters import Choice, read_whole_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudzero_provider.anycost.checks import CheckedRows
    from cloudzero_provider.client.outcome import Effect

_OPTIONS = (
    'Options: aggregate rows before sending, with transform=aggregate(by=[...], period="day") of '
    "cloudzero_provider.anycost (by: the columns to keep); send parts of the bill to AnyCost streams of their own; "
    "or use AnyCostBucketDropOperator, for CloudZero's AnyCost Bucket connection, which has no such limit "
    f"({BUCKET_PAGE}). The limits: {SEND_PAGE}"
)


class Operation(Choice):
    """How CloudZero merges a drop with what it holds (https://docs.cloudzero.com/docs/anycost-send-stream-data)."""

    REPLACE_DROP = "replace_drop"
    REPLACE_HOURLY = "replace_hourly"
    SUM = "sum"

    @property
    def effect(self) -> Effect:
        """What applying a request with this operation does."""
        # The client loads an HTTP library, which a plan doesn't need.
        from cloudzero_provider.client.outcome import Effect

        return Effect.ADDS_ROWS if self is Operation.SUM else Effect.REPEATABLE


@dataclass(frozen=True)
class Limits:
    """
    Limits of requests and months.

    :param max_body_bytes: size of one request. CloudZero's limit is 5 MB, not published to the byte.
    :param max_month_bytes: size of all requests of a month.
    :param max_month_rows: number of rows of a month.
    """

    max_body_bytes: int = MAX_BODY_BYTES
    max_month_bytes: int = MAX_MONTH_BYTES
    max_month_rows: int = MAX_MONTH_ROWS

    def __post_init__(self) -> None:
        read_whole_number("max_body_bytes", self.max_body_bytes, most=LARGEST_BODY)
        read_whole_number("max_month_bytes", self.max_month_bytes)
        read_whole_number("max_month_rows", self.max_month_rows)


@dataclass(frozen=True)
class DropRequest:
    """
    One request of a plan.

    :param operation: how CloudZero merges it with what it holds.
    :param start: its first row, in the order of the plan.
    :param rows: number of rows.
    :param size: size of its body, in bytes.
    :param first_hour: hour of its first row, like ``2026-03-16T13:00:00Z``.
    :param last_hour: hour of its last row.
    """

    operation: Operation
    start: int
    rows: int
    size: int
    first_hour: str
    last_hour: str


@dataclass(frozen=True)
class Unit:
    """
    Requests that are repeated together: one, or all requests of an hour that exceeds a body.

    Each unit begins with a repeatable request (unless the operation is ``sum``), so it can start over.
    """

    requests: tuple[DropRequest, ...]


@dataclass(frozen=True)
class Plan:
    """
    The ordered requests that send a month.

    :param month: the month.
    :param operation: as the user set it.
    :param units: in the order of sending.
    :param objects: the rows as JSON objects, in the order they were given.
    :param order: the numbers of the rows in the order of sending; ``None`` if they were given in that order.
    :param hours: the hours the rows cover, like ``2026-03-16T13:00:00Z``.
    :param totals: cost column → exact sum, as a decimal string.
    """

    month: Month
    operation: Operation
    units: tuple[Unit, ...]
    objects: JsonObjects
    order: pl.Series | None
    hours: tuple[str, ...]
    totals: dict[str, str]

    @property
    def requests(self) -> tuple[DropRequest, ...]:
        """All requests, in the order of sending."""
        return tuple(request for unit in self.units for request in unit.requests)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.objects.frame.height

    @property
    def size(self) -> int:
        """Size of all bodies, in bytes."""
        return sum(request.size for request in self.requests)

    def body(self, request: DropRequest) -> bytes:
        """Encode the body of a request."""
        place = request.start, request.rows
        rows = self.objects.slice(*place) if self.order is None else self.objects.in_order(self.order.slice(*place))
        return b"".join((_prefix(self.month, request.operation), rows.joined(), _SUFFIX))

    def bodies(self) -> Iterator[bytes]:
        """Encode the bodies one by one."""
        return in_parallel(self.body, self.requests)


_SUFFIX = b"]}"


def empty_month_body(month: Month) -> bytes:
    """Encode the request that leaves a month without rows."""
    return _prefix(month, Operation.REPLACE_DROP) + _SUFFIX


def check_empties(operation: Operation) -> None:
    """
    Check that an operation can empty a month.

    :param operation: as the user set it.
    :raises ConfigurationError: for any but ``replace_drop``.
    """
    if operation is not Operation.REPLACE_DROP:
        raise ConfigurationError("on_empty='clear' empties a whole month, so it needs operation='replace_drop'.")


def empty_plan(month: Month) -> Plan:
    """Plan the request that leaves a month without rows."""
    objects = JsonObjects(pl.DataFrame(), ())
    request = DropRequest(Operation.REPLACE_DROP, 0, 0, len(empty_month_body(month)), "", "")
    return Plan(month, Operation.REPLACE_DROP, (Unit((request,)),), objects, None, (), {COST: "0"})


def _prefix(month: Month, operation: Operation) -> bytes:
    return f'{{"month":"{month}","operation":"{operation.value}","data":['.encode()


def _overhead(operation: Operation) -> int:
    """Bytes of a body besides its rows and a comma after each."""
    return len(_prefix(Month(1, 1), operation)) + len(_SUFFIX) - 1


_LARGEST_OVERHEAD = max(_overhead(operation) for operation in Operation)


def make_plan(checked: CheckedRows, operation: Operation, limits: Limits | None = None) -> Plan:
    """
    Split a month into requests: one, if it fits; else along hours, so that every request can be repeated.

    :param checked: the rows.
    :param operation: ``replace_drop``: the first request empties the month, the others replace their hours.
        ``replace_hourly``: each replaces its hours. ``sum``: each adds.
    :param limits: of bodies and months.
    :raises MonthTooLargeError: when the month exceeds CloudZero's limits.
    :raises InputError: when a single row is too large for one request.
    """
    limits = limits or Limits()
    _check_row_limit(checked, limits)
    objects = json_rows(checked.frame, is_checked=True)
    sizes = objects.sizes()
    hours, order = _by_hour(checked.frame[USAGE_START], sizes)
    sizes = sizes if order is None else sizes.gather(order)
    _check_row_sizes(sizes, order, checked, limits)
    units = tuple(_pack(hours, sizes, operation, limits.max_body_bytes))
    plan = Plan(checked.month, operation, units, objects, order, tuple(hours["hour"].to_list()), checked.totals)
    if plan.size > limits.max_month_bytes:
        raise _too_large(checked.month, plan.size, limits.max_month_bytes, "bytes", "max_month_bytes")
    return plan


def _by_hour(starts: pl.Series, sizes: pl.Series) -> tuple[pl.DataFrame, pl.Series | None]:
    """
    Group rows by their hour.

    :return: each hour with its number of rows and their size; and the numbers of the rows by hour, as given within an
        hour, or ``None`` if they were given in that order.
    """
    sums = [pl.len(), pl.col("size").cast(pl.Int64).sum()]
    frame = pl.DataFrame({"hour": starts, "size": sizes})
    if starts.is_sorted():
        return frame.group_by("hour").agg(sums).sort("hour"), None
    hours = frame.with_row_index("numbers").group_by("hour").agg(*sums, "numbers").sort("hour")
    return hours.drop("numbers"), hours["numbers"].explode()


def _pack(hours: pl.DataFrame, sizes: pl.Series, operation: Operation, max_body: int) -> Iterator[Unit]:
    """Fill bodies with whole hours, in order; an hour that exceeds a body becomes a unit of its own."""
    groups: list[_Hours] = []
    start = 0
    for hour, rows, size in hours.iter_rows():
        last = groups[-1] if groups else None
        if last and last.size + size + _LARGEST_OVERHEAD <= max_body:
            groups[-1] = _Hours(last.start, last.rows + rows, last.size + size, last.first, hour)
        else:
            groups.append(_Hours(start, rows, size, hour, hour))
        start += rows
    for number, group in enumerate(groups):
        leading = operation if number == 0 else _following(operation)
        if group.size + _LARGEST_OVERHEAD <= max_body:
            yield Unit((group.request(leading),))
        else:
            yield Unit(tuple(_split_hour(group, sizes, leading, max_body)))


@dataclass(frozen=True)
class _Hours:
    """Consecutive hours: their rows, and their bytes, with a comma after each."""

    start: int
    rows: int
    size: int
    first: str
    last: str

    def request(self, operation: Operation) -> DropRequest:
        return DropRequest(operation, self.start, self.rows, self.size + _overhead(operation), self.first, self.last)


def _following(operation: Operation) -> Operation:
    return Operation.REPLACE_HOURLY if operation is Operation.REPLACE_DROP else operation


def _split_hour(hour: _Hours, sizes: pl.Series, leading: Operation, max_body: int) -> Iterator[DropRequest]:
    operation, start, rows, size = leading, hour.start, 0, 0
    for row_size in sizes.slice(hour.start, hour.rows).to_list():
        if rows and size + row_size + _LARGEST_OVERHEAD > max_body:
            yield _Hours(start, rows, size, hour.first, hour.last).request(operation)
            operation, start, rows, size = Operation.SUM, start + rows, 0, 0
        rows, size = rows + 1, size + row_size
    yield _Hours(start, rows, size, hour.first, hour.last).request(operation)


def _check_row_limit(checked: CheckedRows, limits: Limits) -> None:
    if checked.frame.height > limits.max_month_rows:
        raise _too_large(checked.month, checked.frame.height, limits.max_month_rows, "rows", "max_month_rows")


def _check_row_sizes(sizes: pl.Series, order: pl.Series | None, checked: CheckedRows, limits: Limits) -> None:
    largest = limits.max_body_bytes - _LARGEST_OVERHEAD
    index = (sizes > largest).arg_true()
    if len(index):
        size = sizes[index[0]] - 1
        rule = f"{size:,} bytes as JSON, too large for one request (max_body_bytes is {limits.max_body_bytes:,})"
        row = index[0] if order is None else order[index[0]]
        problem = Problem(checked.where(row), None, None, rule)
        raise InputError(f"{_count(index, 'row is', 'rows are')} too large; nothing was sent.\n  {problem}")


def _count(found: Sequence[int] | pl.Series, one: str, many: str) -> str:
    return f"1 {one}" if len(found) == 1 else f"{len(found):,} {many}"


def _too_large(month: Month, found: int, limit: int, unit: str, parameter: str) -> MonthTooLargeError:
    return MonthTooLargeError(
        f"{month} has {found:,} {unit}, {found - limit:,} more than the {limit:,} that one AnyCost stream accepts per "
        f"month ({parameter}); nothing was sent. {_OPTIONS}"
    )
