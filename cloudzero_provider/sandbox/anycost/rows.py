"""Checking rows, and grouping the valid ones by hour."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.anycost.cbf import (
    COST_COLUMNS,
    REQUIRED_COLUMNS,
    RESOURCE_ID,
    USAGE_START,
    Check,
    column_problem,
    is_ignored,
    is_tag,
    value_check,
)
from cloudzero_provider.sandbox.common.exact_sums import Totals
from cloudzero_provider.sandbox.common.json_text import canonical_json
from cloudzero_provider.sandbox.common.months import Month, hour_of, month_of, parse_cbf_time

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudzero_provider.sandbox.common.problems import Problems
    from cloudzero_provider.sandbox.settings.all_settings import Settings


# Rows of many optional columns may each have a shape of their own.
_MAX_SHAPES = 4096


@dataclass(frozen=True)
class HourBlock:
    """The rows of one hour, as lines of compact JSON with sorted keys, and their totals."""

    hour: str
    rows: bytes
    row_count: int
    byte_count: int
    totals: dict[str, str]


@dataclass(frozen=True)
class _Shape:
    """The problems and checks shared by all rows with the same columns in the same order."""

    problems: tuple[tuple[str, str], ...]
    checks: tuple[tuple[str, Check], ...]
    ignored: tuple[str, ...]
    costs: tuple[str, ...]


class _Hour:
    def __init__(self) -> None:
        self.rows: list[bytes] = []
        self.totals = Totals()

    def as_block(self, hour: str) -> HourBlock:
        byte_count = sum(map(len, self.rows))
        return HourBlock(hour, b"\n".join(self.rows), len(self.rows), byte_count, self.totals.as_texts())


class RowReader:
    """Checks the rows of one drop in order, and groups them by hour."""

    def __init__(self, settings: Settings, month: Month | None, problems: Problems) -> None:
        self.month = month
        self._month_is_given = month is not None
        self._settings = settings
        self._problems = problems
        self._shapes: dict[tuple[str, ...], _Shape] = {}
        self._moments: dict[str, tuple[str, Month]] = {}
        self._hours: dict[str, _Hour] = {}

    def read(self, rows: Iterable[object]) -> None:
        self.read_numbered(enumerate(rows))

    def read_numbered(self, rows: Iterable[tuple[int, object]]) -> None:
        """Read rows with the numbers that problems name."""
        for index, row in rows:
            if type(row) is not dict:
                self._problems.add(f"row {index}: must be a JSON object")
            elif self._check(index, row):
                self._keep(index, row)

    def blocks(self) -> tuple[HourBlock, ...]:
        return tuple(self._hours[hour].as_block(hour) for hour in sorted(self._hours))

    def _check(self, index: int, row: dict[str, object]) -> bool:
        known = self._problems.count
        shape = self._shape_of(row)
        for column, rule in shape.problems:
            self._problems.add_for_row(index, column, rule)
        if set(map(type, row.values())) == {str}:
            self._check_values(index, row, shape)
        else:
            self._report_non_strings(index, row)
        return self._problems.count == known and self._is_in_month(index, str(row[USAGE_START]))

    def _check_values(self, index: int, row: dict[str, object], shape: _Shape) -> None:
        for column, check in shape.checks:
            problem = check(str(row[column]))
            if problem:
                self._problems.add_for_row(index, column, problem)

    def _report_non_strings(self, index: int, row: dict[str, object]) -> None:
        rule = "must be a JSON string; leave out columns without a value"
        for column, value in row.items():
            if type(value) is not str:
                self._problems.add_for_row(index, column, rule)

    def _shape_of(self, row: dict[str, object]) -> _Shape:
        columns = tuple(row)
        shape = self._shapes.get(columns)
        if shape is None:
            if len(self._shapes) >= _MAX_SHAPES:
                self._shapes.clear()
            shape = self._shapes[columns] = _shape(columns, self._settings)
        return shape

    def _is_in_month(self, index: int, usage_start: str) -> bool:
        month = self._moment(usage_start)[1]
        if self.month is None:
            self.month = month
        if month == self.month:
            return True
        whose = "the drop's month" if self._month_is_given else "the month of the first row"
        self._problems.add_for_row(index, USAGE_START, f"is in {month} (UTC), but {whose} is {self.month}")
        return False

    def _moment(self, usage_start: str) -> tuple[str, Month]:
        found = self._moments.get(usage_start)
        if found is None:
            moment = parse_cbf_time(usage_start, self._settings.cbf_times)
            found = self._moments[usage_start] = (hour_of(moment), month_of(moment))
        return found

    def _keep(self, index: int, row: dict[str, object]) -> None:
        shape = self._shape_of(row)
        for column in shape.ignored:
            del row[column]
        try:
            packed = canonical_json(row).encode("utf-8")
        except UnicodeEncodeError:
            self._problems.add(f"row {index}: has an unpaired surrogate, which is not a valid character")
            return
        name = self._moment(str(row[USAGE_START]))[0]
        hour = self._hours.get(name)
        if hour is None:
            hour = self._hours[name] = _Hour()
        hour.rows.append(packed)
        for column in shape.costs:
            text = row[column]
            if text:
                hour.totals.add(column, Decimal(str(text)))


def _shape(columns: tuple[str, ...], settings: Settings) -> _Shape:
    ignored = tuple(column for column in columns if is_ignored(column, settings))
    checks = [(column, check) for column in columns if (check := value_check(column, settings))]
    problems = [(column, "is required") for column in REQUIRED_COLUMNS if column not in columns]
    problems += [(column, problem) for column in columns if (problem := column_problem(column, settings))]
    tags = [column for column in columns if is_tag(column)]
    if tags and RESOURCE_ID not in columns:
        problems.append((tags[0], f"a tag requires {RESOURCE_ID} in the same row"))
    elif tags:
        checks.append((RESOURCE_ID, _blank_id_problem))
    costs = tuple(column for column in columns if column in COST_COLUMNS)
    return _Shape(tuple(problems), tuple(checks), ignored, costs)


def _blank_id_problem(value: str) -> str | None:
    return None if value else "must not be blank in a row with tags"
