"""Claim of a billing drop: what it is about to write, and what it would replace of another drop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloudzero_provider.anycost.plan import Operation
from cloudzero_provider.claims import comparable_url
from cloudzero_provider.values.counted import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloudzero_provider.anycost.plan import Plan
    from cloudzero_provider.client import Client
    from cloudzero_provider.months import Month

_KIND = "billing_drop"
_SHOWN_HOURS = 3


@dataclass(frozen=True)
class MonthWrite:
    """
    A month, or hours of it, that is about to be written.

    :param base_url: of CloudZero.
    :param anycost_connection_id: the AnyCost stream.
    :param month: like ``2026-03``.
    :param operation: how it is written.
    :param rows: number of rows; 0 when the month is cleared.
    :param hours: hours of the rows, like ``2026-03-16T13:00:00Z``.
    """

    base_url: str
    anycost_connection_id: str
    month: str
    operation: Operation
    rows: int
    hours: frozenset[str]

    @classmethod
    def of_plan(cls, client: Client, anycost_connection_id: str, plan: Plan) -> MonthWrite:
        """
        Describe what a plan writes.

        :param client: the client that sends it.
        :param anycost_connection_id: the AnyCost stream.
        :param plan: the plan.
        """
        url = comparable_url(client.config.base_url)
        return cls(url, anycost_connection_id, str(plan.month), plan.operation, plan.rows, frozenset(plan.hours))

    @classmethod
    def of_nothing(cls, client: Client, anycost_connection_id: str, month: Month) -> MonthWrite:
        """
        Describe emptying a month.

        :param client: the client that sends it.
        :param anycost_connection_id: the AnyCost stream.
        :param month: the month.
        """
        url = comparable_url(client.config.base_url)
        return cls(url, anycost_connection_id, str(month), Operation.REPLACE_DROP, 0, frozenset())

    @property
    def description(self) -> str:
        """What is written, for an error."""
        rows = counted(self.rows, "row")
        return f"{rows} of {self.month} to AnyCost stream {self.anycost_connection_id} ({self.operation.value})"

    @property
    def uncompared(self) -> int:
        """Always 0: a claim holds all hours."""
        return 0

    def as_claim(self) -> dict[str, Any]:
        """Return the claim as plain JSON values. Hours are bits of a number, the first hour the lowest bit."""
        return {
            "kind": _KIND,
            "base_url": self.base_url,
            "stream": self.anycost_connection_id,
            "month": self.month,
            "operation": self.operation.value,
            "rows": self.rows,
            "hours": f"{sum(1 << _number(hour) for hour in self.hours):x}",
        }

    def read_claim(self, claim: Mapping[str, Any]) -> MonthWrite | None:
        """
        Read the claim of another task; ``None`` when it is about another month or stream.

        :param claim: as :meth:`as_claim` returned it.
        """
        if claim["kind"] != _KIND:
            return None
        target = (claim["base_url"], claim["stream"], claim["month"])
        if target != (self.base_url, self.anycost_connection_id, self.month):
            return None
        bits = int(claim["hours"], 16)
        hours = frozenset(_hour(self.month, number) for number in range(bits.bit_length()) if bits >> number & 1)
        return MonthWrite(*target, Operation(claim["operation"]), int(claim["rows"]), hours)

    def replaces(self, other: MonthWrite) -> str | None:
        """
        Describe what this write replaces of another one to the same month; ``None`` for nothing.

        :param other: the other write.
        """
        if self.operation is Operation.REPLACE_DROP:
            return "replace_drop replaces the whole month"
        same = sorted(self.hours & other.hours)
        if self.operation is Operation.REPLACE_HOURLY and same:
            shown = ", ".join(same[:_SHOWN_HOURS]) + (", ..." if len(same) > _SHOWN_HOURS else "")
            return f"replace_hourly replaces {counted(len(same), 'hour')} that both have ({shown})"
        return None


def _number(hour: str) -> int:
    """Hours since the start of the month."""
    return (int(hour[8:10]) - 1) * 24 + int(hour[11:13])


def _hour(month: str, number: int) -> str:
    return f"{month}-{number // 24 + 1:02d}T{number % 24:02d}:00:00Z"
