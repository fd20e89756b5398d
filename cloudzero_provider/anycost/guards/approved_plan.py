"""The guard of an approval: what was approved is what is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloudzero_provider.anycost.columns import COST
from cloudzero_provider.anycost.comparison.contents import sha256_by_hour
from cloudzero_provider.anycost.guards.months import described
from cloudzero_provider.anycost.plan import Operation
from cloudzero_provider.exceptions import ConfigurationError, InputError, PlanDiffersError

if TYPE_CHECKING:
    from cloudzero_provider.anycost.guards.months import GivenMonth, HeldMonth

_OPERATOR = "AnyCostBillingDropPlanOperator"
#: In the same run, Airflow (up to 3.3) would ask for approval of the first plan again.
_PLAN_AGAIN = "Plan again in a new run, and have that plan approved."
_EXPECTED = (
    "anycost_connection_id",
    "month",
    "operation",
    "rows",
    "rows_sha256",
    "totals",
    "held",
    "held_sha256",
    "held_by_hour",
)


@dataclass(frozen=True)
class ApprovedPlan:
    """
    What a plan was made for.

    :param anycost_connection_id: the AnyCost stream.
    :param month: like ``2026-03``.
    :param operation: how it is sent.
    :param described: rows and total cost of what would be sent.
    :param rows_sha256: hash of the contents of what would be sent.
    :param held_described: rows and total cost of what CloudZero held.
    :param held_sha256: hash of the contents of what CloudZero held; ``None`` when it could not be read.
    :param held_by_hour: the same for each hour, of a ``replace_hourly``.
    """

    anycost_connection_id: str
    month: str
    operation: str
    described: str
    rows_sha256: str
    held_described: str
    held_sha256: str | None
    held_by_hour: Mapping[str, str]

    @classmethod
    def parse(cls, plan: object) -> ApprovedPlan:
        """
        Read the plan that the planning operator returned.

        :param plan: its return value.
        :raises InputError: when there is none.
        :raises ConfigurationError: when it is anything else.
        """
        if plan is None:
            raise InputError(f"plan has no value, so nothing was sent: was the {_OPERATOR} skipped?")
        if not isinstance(plan, Mapping) or (missing := [name for name in _EXPECTED if name not in plan]):
            what = type(plan).__name__ if not isinstance(plan, Mapping) else f"without {', '.join(missing)}"
            raise ConfigurationError(f"plan is not what {_OPERATOR} returns ({what}); nothing was sent.")
        held = plan["held"] or {"rows": 0, "totals": {}}
        try:
            return cls(
                anycost_connection_id=plan["anycost_connection_id"],
                month=plan["month"],
                operation=plan["operation"],
                described=described(plan["rows"], plan["totals"].get(COST, "0")),
                rows_sha256=plan["rows_sha256"],
                held_described=described(held["rows"], held["totals"].get(COST, "0")),
                held_sha256=plan["held_sha256"],
                held_by_hour=dict(plan["held_by_hour"] or {}),
            )
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise ConfigurationError(
                f"plan is not what {_OPERATOR} returns ({type(error).__name__}); nothing was sent."
            ) from None

    def check_given(self, given: GivenMonth) -> None:
        """
        Check that what is about to be sent is what was planned; its rows in any order.

        :param given: what is about to be sent.
        :raises PlanDiffersError: when it is not.
        """
        target = (given.anycost_connection_id, str(given.month), given.operation.value)
        planned = (self.anycost_connection_id, self.month, self.operation)
        if target != planned:
            raise PlanDiffersError(
                f"The plan is for {_target(*planned)}, but this task sends {_target(*target)}; nothing was sent. Give "
                "both tasks the same parameters."
            )
        if given.sha256 != self.rows_sha256:
            raise PlanDiffersError(
                f"{self.month}: the rows are not those of the plan: {self.described} then, {given} now; nothing was "
                f"sent. {_PLAN_AGAIN}"
            )

    def check_held(self, held: HeldMonth, given: GivenMonth, *, is_first_attempt: bool) -> None:
        """
        Check that CloudZero still holds what would be replaced.

        An earlier attempt may have replaced some hours of a ``replace_hourly`` already.

        :param held: what CloudZero holds.
        :param given: what is about to be sent.
        :param is_first_attempt: whether no earlier attempt of the task can have sent anything.
        :raises PlanDiffersError: when it holds something else.
        """
        if self.held_sha256 is None:
            raise PlanDiffersError(
                f"{self.month}: the plan could not read what CloudZero held, so it can't be compared with what it "
                f"holds now; nothing was sent. {_PLAN_AGAIN}"
            )
        replaced = held.replaced_by(given)
        if replaced.sha256 == self.held_sha256 or (not is_first_attempt and self._is_partly_sent(replaced, given)):
            return
        raise PlanDiffersError(
            f"{self.month}: CloudZero no longer holds what the plan was compared with: {self.held_described} then, "
            f"{held} now; nothing was sent. Another task, or an earlier attempt of this one, may have sent something "
            f"since. {_PLAN_AGAIN}"
        )

    def _is_partly_sent(self, replaced: HeldMonth, given: GivenMonth) -> bool:
        """Whether each hour is as it was for the plan, or as planned."""
        if given.operation is not Operation.REPLACE_HOURLY:
            return False
        now, planned = sha256_by_hour(replaced.frame), sha256_by_hour(given.frame)
        return all(now.get(hour) in (self.held_by_hour.get(hour), planned[hour]) for hour in planned)


def _target(anycost_connection_id: str, month: str, operation: str) -> str:
    return f"{month} to AnyCost stream {anycost_connection_id} ({operation})"
