"""Compare the rows of a month with those that CloudZero holds, read once, before the first write."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloudzero_provider.anycost.comparison.changes import compare
from cloudzero_provider.anycost.guards.cost_change import check_cost_change
from cloudzero_provider.anycost.guards.months import read_held
from cloudzero_provider.values.counted import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloudzero_provider.anycost.comparison.changes import Change
    from cloudzero_provider.anycost.comparison.sums import RowsAndCost
    from cloudzero_provider.anycost.guards.approved_plan import ApprovedPlan
    from cloudzero_provider.anycost.guards.cost_change import MaxCostChange
    from cloudzero_provider.anycost.guards.earlier_attempt import EarlierAttempt
    from cloudzero_provider.anycost.guards.months import GivenMonth
    from cloudzero_provider.client import Client
    from cloudzero_provider.months import Month

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ContentGuards:
    """
    What is compared with the rows that CloudZero holds. Nothing, by default: reading a month takes time.

    :param max_cost_change: how far the total cost may move.
    :param skip_unchanged: whether a month that CloudZero holds already is not sent.
    :param report_changes: whether the difference is logged.
    :param approved: the plan that was approved.
    """

    max_cost_change: MaxCostChange | None = None
    skip_unchanged: bool = False
    report_changes: bool = False
    approved: ApprovedPlan | None = None

    @property
    def needed_by(self) -> list[str]:
        """The parameters that need what CloudZero holds."""
        set_to = {
            "max_cost_change": self.max_cost_change is not None,
            "skip_unchanged": self.skip_unchanged,
            "report_changes": self.report_changes,
            "plan": self.approved is not None,
        }
        return [name for name, is_set in set_to.items() if is_set]


@dataclass(frozen=True)
class Compared:
    """
    What a comparison found.

    :param held: what CloudZero held for the month.
    :param replaced: the part of it that is replaced.
    :param is_equal: whether that part is what would be sent.
    """

    held: RowsAndCost
    replaced: RowsAndCost
    is_equal: bool


def compare_contents(
    client: Client, describe_given: Callable[[], GivenMonth], guards: ContentGuards, earlier: EarlierAttempt | None
) -> Compared | None:
    """
    Compare what is about to be sent with what CloudZero holds.

    :param client: the client to read with.
    :param describe_given: returns what is about to be sent; called only when a guard needs it.
    :param guards: what is compared.
    :param earlier: the earlier attempt of the task; ``None`` on the first one.
    :return: ``None`` when no guard needs what CloudZero holds.
    :raises GuardError: when a guard refuses.
    :raises CloudZeroError: when the month can't be read.
    """
    if not guards.needed_by:
        return None
    given = describe_given()
    if guards.approved:
        guards.approved.check_given(given)
    held = read_held(client, given.anycost_connection_id, given.month, guards.needed_by)
    replaced = held.replaced_by(given)
    after = held.total - replaced.total + given.total
    change = compare(replaced.frame, given.frame).total
    compared = Compared(held.total, replaced.total, is_equal=change.is_empty)
    _log_change(given.month, held.total, after, change)
    if guards.approved and not (earlier and earlier.has_begun(held)):
        guards.approved.check_held(held, given, is_first_attempt=earlier is None)
    if guards.max_cost_change and held.total.rows and not (earlier and earlier.passed_guards(held)):
        check_cost_change(str(given.month), held.total.cost, after.cost, guards.max_cost_change)
    return compared


def _log_change(month: Month, before: RowsAndCost, after: RowsAndCost, change: Change) -> None:
    log.info("%s: total cost %s before, %s after (%s)", month, before.cost, after.cost, _signed(after - before))
    for what, rows, costs in (
        ("added", change.added.rows, change.added.cost),
        ("removed", change.removed.rows, change.removed.cost),
        (
            "changed",
            change.changed_after.rows,
            f"{change.changed_before.cost} before, {change.changed_after.cost} after",
        ),
        ("unchanged", change.unchanged.rows, change.unchanged.cost),
    ):
        log.info("%s: %s %s, cost %s", month, counted(rows, "row"), what, costs)


def _signed(difference: RowsAndCost) -> str:
    return f"{'+' if difference.amount > 0 else ''}{difference.cost}"
