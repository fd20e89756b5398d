"""How a month is sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cloudzero_provider.anycost.guards.contents import Compared, ContentGuards
from cloudzero_provider.anycost.guards.passed import PassedGuards
from cloudzero_provider.anycost.guards.row_count import read_max_rows_ratio, read_min_rows_ratio
from cloudzero_provider.anycost.plan import Limits, Operation
from cloudzero_provider.exceptions import ConfigurationError
from cloudzero_provider.journal import NoJournal
from cloudzero_provider.values.limits import MIN_ROWS_RATIO
from cloudzero_provider.values.parameters import read_bool, read_number

if TYPE_CHECKING:
    from cloudzero_provider.anycost.guards.days import RequiredDays
    from cloudzero_provider.claims import Claims
    from cloudzero_provider.journal import Journal


@dataclass(frozen=True)
class SendOptions:
    """
    How a month is sent; the operator documents each.

    :param settle_from: time (``time.monotonic``) from which a previous attempt's in-flight request must settle before
        anything is written; ``None`` on the first attempt.
    :param passed: remembers between attempts that the guards were passed.
    :param journal: records which requests of a ``sum`` were acknowledged.
    :param claims: the claims of the DAG run; ``None`` outside a DAG run.
    """

    operation: Operation = Operation.REPLACE_DROP
    min_rows_ratio: float = MIN_ROWS_RATIO
    max_rows_ratio: float | None = None
    check_only: bool = False
    validate_with_cloudzero: bool = False
    verify: bool = False
    required_days: RequiredDays | None = None
    contents: ContentGuards = field(default_factory=ContentGuards)
    limits: Limits = field(default_factory=Limits)
    settle_from: float | None = None
    passed: PassedGuards = field(default_factory=PassedGuards)
    journal: Journal = field(default_factory=NoJournal)
    claims: Claims | None = None

    def __post_init__(self) -> None:
        read_min_rows_ratio(self.min_rows_ratio)
        read_max_rows_ratio(self.max_rows_ratio)
        for name in ("check_only", "validate_with_cloudzero", "verify"):
            read_bool(name, getattr(self, name))
        if self.settle_from is not None:
            read_number("settle_from", self.settle_from, meaning="a time of time.monotonic()")
        if self.verify and self.operation is Operation.SUM:
            raise ConfigurationError(
                "verify=True compares a month with what was sent, so it needs replace_drop or replace_hourly, not sum."
            )
        if self.contents.approved and self.operation is Operation.SUM:
            raise ConfigurationError(
                "plan compares a month with what CloudZero held, so it needs replace_drop or replace_hourly, not sum."
            )
        if self.contents.skip_unchanged and self.operation is Operation.SUM:
            raise ConfigurationError("skip_unchanged needs replace_drop or replace_hourly: sum always adds.")
        if self.required_days and self.operation is not Operation.REPLACE_DROP:
            raise ConfigurationError("required_days needs replace_drop, which sends the whole month.")

    @property
    def is_first_attempt(self) -> bool:
        """Whether no earlier attempt of this task can have written anything."""
        return self.settle_from is None

    def may_skip(self, compared: Compared) -> bool:
        """
        Whether nothing need be sent. A retry or a cleared task always sends.

        :param compared: what the comparison with what CloudZero holds found.
        """
        return self.contents.skip_unchanged and compared.is_equal and self.is_first_attempt

    @property
    def compares_sizes(self) -> bool:
        """Whether a guard compares sizes that an earlier attempt of the task may have changed."""
        return self.max_rows_ratio is not None or self.contents.max_cost_change is not None
