"""What an earlier attempt of a task may have sent, as what CloudZero holds shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from cloudzero_provider.anycost.comparison.contents import canonical, contents_sha256
from cloudzero_provider.anycost.guards.months import read_held
from cloudzero_provider.anycost.plan import Operation

if TYPE_CHECKING:
    import polars as pl

    from cloudzero_provider.anycost.checks import CheckedRows
    from cloudzero_provider.anycost.guards.months import HeldMonth
    from cloudzero_provider.anycost.plan import Plan
    from cloudzero_provider.client import Client


class EarlierAttempt(Protocol):
    """An earlier attempt of a task, which may have sent a part of a month."""

    def passed_guards(self, held: HeldMonth) -> bool:
        """
        Return whether it passed the guards, after which it may have changed what they compare.

        :param held: what CloudZero holds.
        """

    def has_begun(self, held: HeldMonth) -> bool:
        """
        Return whether what CloudZero holds is exactly what it has sent so far.

        :param held: what CloudZero holds.
        """


@dataclass(frozen=True)
class EarlierSending:
    """
    An earlier attempt to send a plan.

    :param checked: the rows of the plan.
    :param plan: the plan.
    :param acknowledged: how many requests of a ``sum`` its journal shows as sent.
    :param passed: whether it is known to have passed the guards; ``None`` when nothing is known.
    """

    checked: CheckedRows
    plan: Plan
    acknowledged: int
    passed: bool | None

    def passed_guards(self, held: HeldMonth) -> bool:
        """
        Return whether it passed the guards.

        Where Airflow can't remember that, what CloudZero holds has to show it.

        :param held: what CloudZero holds.
        """
        return self.has_begun(held) if self.passed is None else self.passed

    def reads_and_passed_guards(self, client: Client, anycost_connection_id: str) -> bool:
        """
        Do the same; what CloudZero holds is read if needed.

        :param client: the client to read with.
        :param anycost_connection_id: the AnyCost stream.
        """
        if self.passed is not None:
            return self.passed
        return self.has_begun(read_held(client, anycost_connection_id, self.plan.month, ["max_rows_ratio"]))

    def has_begun(self, held: HeldMonth) -> bool:
        """
        Return whether CloudZero holds exactly the rows of the first requests.

        It does between the requests of a ``replace_drop``, whose first request empties the month, and of a
        ``replace_hourly`` to a month without rows.

        :param held: what CloudZero holds.
        """
        if self.plan.operation is Operation.SUM:
            return self.acknowledged > 0
        rows = 0
        for request in self.plan.requests:
            rows += request.rows
            if rows == held.frame.height:
                return contents_sha256(canonical(self._first(rows))) == held.sha256
        return False

    def _first(self, rows: int) -> pl.DataFrame:
        frame, order = self.checked.frame, self.plan.order
        return frame[:rows] if order is None else frame[order[:rows]]


class EarlierClearing:
    """An earlier attempt to empty a month."""

    def passed_guards(self, held: HeldMonth) -> bool:
        """
        Return whether the month is empty.

        :param held: what CloudZero holds.
        """
        return held.frame.is_empty()

    has_begun = passed_guards
