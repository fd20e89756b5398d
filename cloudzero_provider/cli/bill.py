"""Check a bill as the operator does before it sends one: the same reading, transforms, checks and plan."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from cloudzero_provider.anycost.checks import check_rows
from cloudzero_provider.anycost.columns import COST, USAGE_START
from cloudzero_provider.anycost.plan import make_plan
from cloudzero_provider.exceptions import ConfigurationError, InputError, InvalidRowsError, MissingFileError
from cloudzero_provider.sources import gathered, read_files
from cloudzero_provider.sources.file_names import ending_of, find_files
from cloudzero_provider.values.exact_sums import exact_sums
from cloudzero_provider.values.problems import every_problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudzero_provider.anycost.checks import CheckedRows
    from cloudzero_provider.anycost.plan import DropRequest, Limits, Operation, Plan
    from cloudzero_provider.cli.progress import Steps
    from cloudzero_provider.exceptions import Problem
    from cloudzero_provider.months import Month
    from cloudzero_provider.sources import FileStore, Rows
    from cloudzero_provider.transforms import Transform


@dataclass(frozen=True)
class CheckOptions:
    """
    What to check. The fields are parameters of the operator.

    :param files: paths of files that exist.
    """

    files: tuple[str, ...]
    month: Month
    transform: list[Transform]
    operation: Operation
    limits: Limits
    allow_unknown_columns: bool = False
    allow_equal_files: bool = False


@dataclass(frozen=True)
class CheckedBill:
    """
    What the check found.

    :param options: what was checked.
    :param rows: number of rows, after transforms; ``None`` when they could not be read.
    :param checked: the rows, if all are valid.
    :param plan: the requests that would be sent, if the month is within the limits.
    :param error: why the operator would not send it.
    """

    options: CheckOptions
    rows: int | None = None
    checked: CheckedRows | None = None
    plan: Plan | None = None
    error: InputError | None = None

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Every problem that was found in the rows."""
        return self.error.problems if isinstance(self.error, InvalidRowsError) else ()

    @property
    def requests(self) -> tuple[DropRequest, ...]:
        """The requests that would be sent, in their order."""
        return () if self.plan is None else self.plan.requests

    @property
    def hours(self) -> int | None:
        """Number of hours that the rows cover."""
        return None if self.checked is None else self.checked.frame[USAGE_START].n_unique()

    @property
    def totals(self) -> dict[str, str]:
        """Cost column → exact sum, as a decimal string."""
        return {} if self.checked is None else self.checked.totals

    def cost_by_day(self) -> dict[str, str]:
        """Return the exact sum of each day with rows, like ``2026-03-16``."""
        if self.checked is None:
            return {}
        days = self.checked.frame[USAGE_START].str.slice(0, 10)
        sums = exact_sums(self.checked.frame[COST], days.rank("dense").cast(pl.UInt32) - 1)
        return dict(zip(sorted(days.unique()), sums, strict=True))


def files_to_check(given: list[str], store: FileStore | None) -> tuple[str, ...]:
    """
    List the files that paths, patterns and URIs name.

    :param given: as on the command line.
    :param store: for URIs.
    :raises ConfigurationError: when there is no such file, or it is of an unknown format.
    """
    try:
        names = find_files(given, store)
        for name in names:
            ending_of(name)
    except MissingFileError as error:
        raise ConfigurationError(f"{error.problem}.") from None
    except InputError as error:
        raise ConfigurationError(str(error)) from None
    if missing := [name for name in names if "://" not in name and not os.path.exists(name)]:
        raise ConfigurationError(f"{', '.join(missing)}: there is no such file.")
    return tuple(names)


def check_bill(options: CheckOptions, store: FileStore | None, steps: Steps) -> CheckedBill:
    """
    Read files, apply transforms, check the rows and plan the requests.

    :param options: what to check.
    :param store: for URIs.
    :param steps: shows the progress.
    :raises ConfigurationError: when a transform can't be used.
    """
    rows: Rows | None = None
    checked: CheckedRows | None = None
    try:
        with every_problem():
            rows = gathered(_read(options, store, steps), options.transform or None)
            steps.step("Checking rows")
            if not rows.count:
                raise InputError(
                    f"No rows for {options.month}. The operator does what on_empty says: it skips the task."
                )
            checked = check_rows(rows, options.month, allow_unknown_columns=options.allow_unknown_columns)
        steps.step("Planning requests")
        plan = make_plan(checked, options.operation, options.limits)
    except InputError as error:
        return CheckedBill(options, None if rows is None else rows.count, checked, error=error)
    return CheckedBill(options, rows.count, checked, plan)


def number_of_steps(options: CheckOptions) -> int:
    """Return how many steps a check has."""
    return len(options.files) + bool(options.transform) + 2


def _read(options: CheckOptions, store: FileStore | None, steps: Steps) -> Iterator[Rows]:
    parts = read_files(list(options.files), store, allow_equal_files=options.allow_equal_files)
    for name in options.files:
        steps.step(f"Reading {name}")
        yield next(parts)
    if options.transform:
        steps.step("Applying transforms")
