"""What a user may choose about FOCUS to CBF."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from cloudzero_provider.choices import Choice
from cloudzero_provider.exceptions import ConfigurationError


class MonthFrom(Choice):
    """Which period of a charge says what month it is sent in."""

    CHARGE_PERIOD = "charge_period"
    BILLING_PERIOD = "billing_period"


class UnusedCommitment(Choice):
    """The line item type of a commitment's unused part."""

    USAGE = "Usage"
    VACANCY = "CommittedUseVacancy"


class RecurringCommitment(Choice):
    """The line item type of a commitment's recurring purchase."""

    PURCHASE = "CommittedUsePurchase"
    RECURRING_FEE = "CommittedUseRecurringFee"


class NegativeQuantity(Choice):
    """What a quantity below zero, as refunds have it, goes out as."""

    KEEP = "keep"
    ZERO = "zero"


@dataclass(frozen=True)
class FocusOptions:
    """The options of :func:`~cloudzero_provider.anycost.focus.to_cbf`, checked."""

    month_from: MonthFrom
    currency: str
    unused_commitment: UnusedCommitment
    recurring_commitment: RecurringCommitment
    negative_quantity: NegativeQuantity
    id_separator: str
    tag_columns: tuple[str, ...]
    lineitem_id_column: str | None

    @classmethod
    def parse(
        cls,
        *,
        month_from: str,
        currency: str,
        unused_commitment: str,
        recurring_commitment: str,
        negative_quantity: str,
        id_separator: str,
        tag_columns: Collection[str],
        lineitem_id_column: str | None,
    ) -> FocusOptions:
        """
        Check what the user chose.

        :raises ConfigurationError: naming the option and what is allowed.
        """
        return cls(
            MonthFrom.parse(month_from, "month_from"),
            _matching(currency, r"[A-Z]{3}", "currency", "a code of three capital letters, like USD"),
            UnusedCommitment.parse(unused_commitment, "unused_commitment"),
            RecurringCommitment.parse(recurring_commitment, "recurring_commitment"),
            NegativeQuantity.parse(negative_quantity, "negative_quantity"),
            _matching(id_separator, r"[!-.0-9;-~]", "id_separator", "one printable ASCII character but ':' and '/'"),
            _names(tag_columns),
            lineitem_id_column,
        )

    @property
    def required_columns(self) -> tuple[str, ...]:
        """Columns that must be there, with these options."""
        return ("BillingPeriodStart",) if self.month_from is MonthFrom.BILLING_PERIOD else ()

    @property
    def chosen_columns(self) -> dict[str, str]:
        """Columns that the user named: column → the option that names it."""
        chosen = dict.fromkeys(self.tag_columns, "tag_columns")
        return chosen | ({self.lineitem_id_column: "lineitem_id_column"} if self.lineitem_id_column is not None else {})


def _matching(value: Any, pattern: str, option: str, expected: str) -> str:
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise ConfigurationError(f"{option} is {value!r}: expected {expected}.")
    return value


def _names(value: Any) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Collection) or not all(isinstance(name, str) for name in value):
        raise ConfigurationError(f"tag_columns is {value!r}: expected a list of column names.")
    return tuple(dict.fromkeys(value))
