"""
Reading the body of a drop.

https://docs.cloudzero.com/docs/anycost-send-stream-data and
https://docs.cloudzero.com/reference/createoneanycoststreamconnectionbillingdrop
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.anycost.rows import HourBlock, RowReader
from cloudzero_provider.sandbox.common.json_text import NotJsonError, parse_json
from cloudzero_provider.sandbox.common.months import Month, parse_given_month
from cloudzero_provider.sandbox.common.problems import Problems, shortened
from cloudzero_provider.sandbox.settings.anycost import EmptyData
from cloudzero_provider.sandbox.settings.parsing import UnknownMembers

if TYPE_CHECKING:
    from cloudzero_provider.sandbox.settings.all_settings import Settings

_KEYS = ("month", "operation", "data")


class Operation(Enum):
    """What a drop does to the month's data."""

    REPLACE_DROP = "replace_drop"
    REPLACE_HOURLY = "replace_hourly"
    SUM = "sum"


@dataclass(frozen=True)
class Drop:
    """A valid drop."""

    month: Month
    operation: Operation
    row_count: int
    blocks: tuple[HourBlock, ...]


@dataclass(frozen=True)
class DropReading:
    """
    The result of reading a body.

    ``unreadable`` is set if it is not a JSON object; otherwise there is either a ``drop`` or ``problems``.
    """

    operation: Operation | None = None
    month: Month | None = None
    row_count: int | None = None
    unreadable: str | None = None
    problems: tuple[str, ...] = ()
    drop: Drop | None = None


def read_drop(body: bytes, settings: Settings) -> DropReading:
    """Check a body against every rule that does not depend on stored data."""
    try:
        parsed = parse_json(body, settings.duplicate_json_keys)
    except NotJsonError as error:
        return DropReading(unreadable=f"The body is not JSON: {error}.")
    if not isinstance(parsed, dict):
        return DropReading(unreadable="The body is not a JSON object.")
    return _read(parsed, settings)


def _read(parsed: dict[str, object], settings: Settings) -> DropReading:
    problems = Problems()
    for key in parsed:
        if key not in _KEYS and settings.unknown_members is UnknownMembers.REFUSE:
            problems.add(f"{shortened(key)}: is not a key of a drop ({', '.join(_KEYS)})")
    operation = _operation(parsed, problems)
    month = _month(parsed, settings, problems)
    rows = parsed.get("data")
    if not isinstance(rows, list):
        problems.add("data: must be an array of rows" if "data" in parsed else "data: is required")
        return DropReading(operation, month, None, problems=tuple(problems.as_list()))
    reader = RowReader(settings, month, problems)
    reader.read(rows)
    month = reader.month
    if not rows:
        _check_empty(month, settings, problems)
    if problems.count or operation is None or month is None:
        return DropReading(operation, month, len(rows), problems=tuple(problems.as_list()))
    drop = Drop(month, operation, len(rows), reader.blocks())
    return DropReading(operation, month, len(rows), drop=drop)


def _operation(parsed: dict[str, object], problems: Problems) -> Operation | None:
    value = parsed.get("operation", Operation.REPLACE_DROP.value)
    try:
        return Operation(value)
    except ValueError:
        allowed = ", ".join(operation.value for operation in Operation)
        problems.add(f"operation: must be one of {allowed}")
        return None


def _month(parsed: dict[str, object], settings: Settings, problems: Problems) -> Month | None:
    """Parse the month. It is optional: by default it is the month of the rows."""
    if "month" not in parsed:
        return None
    value = parsed["month"]
    try:
        return parse_given_month(value if isinstance(value, str) else "", settings)
    except ValueError as error:
        problems.add(f"month: {error}")
        return None


def _check_empty(month: Month | None, settings: Settings, problems: Problems) -> None:
    if settings.empty_data is EmptyData.REFUSED:
        problems.add("data: has no rows")
    elif month is None and not problems.count:
        problems.add("month: is required when data has no rows")
