"""The two months that are compared: what is about to be sent, and what CloudZero holds."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from cloudzero_provider.anycost.columns import COST
from cloudzero_provider.anycost.comparison.contents import canonical, contents_sha256
from cloudzero_provider.anycost.comparison.replaced_rows import replaced_and_kept
from cloudzero_provider.anycost.comparison.sums import NOTHING, RowsAndCost
from cloudzero_provider.anycost.plan import Operation
from cloudzero_provider.anycost.readback import read_month, total_cost
from cloudzero_provider.exceptions import CloudZeroError, MonthNotFoundError
from cloudzero_provider.values.counted import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudzero_provider.anycost.checks import CheckedRows
    from cloudzero_provider.anycost.plan import Plan
    from cloudzero_provider.client import Client
    from cloudzero_provider.months import Month


@dataclass(frozen=True)
class GivenMonth:
    """
    A month, or hours of it, that is about to be sent.

    :param anycost_connection_id: the AnyCost stream.
    :param month: the month.
    :param operation: how it is sent.
    :param frame: its rows, as :func:`~cloudzero_provider.anycost.comparison.contents.canonical` returns them.
    :param hours: the hours that have rows.
    :param total: number of rows, and their total cost.
    """

    anycost_connection_id: str
    month: Month
    operation: Operation
    frame: pl.DataFrame
    hours: tuple[str, ...]
    total: RowsAndCost

    @classmethod
    def of_plan(cls, anycost_connection_id: str, checked: CheckedRows, plan: Plan) -> GivenMonth:
        """
        Describe what a plan sends.

        :param anycost_connection_id: the AnyCost stream.
        :param checked: the rows.
        :param plan: made of them.
        """
        total = RowsAndCost(plan.rows, Decimal(plan.totals[COST]))
        frame = canonical(checked.frame)
        return cls(anycost_connection_id, plan.month, plan.operation, frame, plan.hours, total)

    @classmethod
    def of_nothing(cls, anycost_connection_id: str, month: Month) -> GivenMonth:
        """
        Describe emptying a month.

        :param anycost_connection_id: the AnyCost stream.
        :param month: the month.
        """
        return cls(anycost_connection_id, month, Operation.REPLACE_DROP, pl.DataFrame(), (), NOTHING)

    @cached_property
    def sha256(self) -> str:
        """Hash of the rows, in any order."""
        return contents_sha256(self.frame)

    def __str__(self) -> str:
        return described(self.total.rows, self.total.cost)


@dataclass(frozen=True)
class HeldMonth:
    """
    What CloudZero holds for a month.

    :param frame: its rows, as :func:`~cloudzero_provider.anycost.comparison.contents.canonical` returns them.
    :param total: number of rows, and their total cost.
    """

    frame: pl.DataFrame
    total: RowsAndCost

    @classmethod
    def of(cls, frame: pl.DataFrame) -> HeldMonth:
        """
        Describe rows.

        :param frame: as it was read back.
        :raises UnexpectedReplyError: when a cost is not a decimal number.
        """
        return cls(canonical(frame), RowsAndCost(frame.height, Decimal(total_cost(frame))))

    @cached_property
    def sha256(self) -> str:
        """Hash of the rows, in any order."""
        return contents_sha256(self.frame)

    def replaced_by(self, given: GivenMonth) -> HeldMonth:
        """
        Return the rows that sending replaces.

        :param given: what is sent.
        """
        if given.operation is Operation.REPLACE_DROP:
            return self
        return HeldMonth.of(replaced_and_kept(self.frame, given.operation, given.hours)[0])

    def __str__(self) -> str:
        return described(self.total.rows, self.total.cost)


def read_held(client: Client, anycost_connection_id: str, month: Month, needed_by: Sequence[str]) -> HeldMonth:
    """
    Read what CloudZero holds for a month.

    :param client: the client to read with.
    :param anycost_connection_id: the AnyCost stream.
    :param month: the month.
    :param needed_by: the parameters that need it, for the error.
    :raises CloudZeroError: when it can't be read, for example because the key lacks the scope.
    """
    try:
        return HeldMonth.of(read_month(client, anycost_connection_id, month))
    except MonthNotFoundError:
        return HeldMonth.of(pl.DataFrame())
    except CloudZeroError as error:
        error.recovery = f"So what CloudZero holds can't be compared ({', '.join(needed_by)}); nothing was sent."
        raise


def described(rows: int, total: str) -> str:
    """
    Describe rows in a sentence.

    :param rows: number of rows.
    :param total: exact sum of ``cost/cost``, as a decimal string.
    """
    return f"{counted(rows, 'row')} with a total cost of {total}"
