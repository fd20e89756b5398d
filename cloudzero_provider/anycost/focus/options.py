"""The options of the conversion from FOCUS to CBF."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass
from typing import Any

from cloudzero_provider.anycost.columns import TAG_KEY, TAG_KEY_RULE
from cloudzero_provider.exceptions import ConfigurationError
from cloudzero_provider.values.parameters import Choice

#: Prefix of a name in ``resource_from`` that is a tag key rather than a column.
FROM_TAG = "tag:"


class MonthFrom(Choice):
    """The period that determines the month of a charge."""

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
    """How a quantity below zero, as in refunds, is sent."""

    KEEP = "keep"
    ZERO = "zero"


class DuplicateTags(Choice):
    """Which of two tags of one resource with the same key is sent."""

    OWN = "own"
    FIRST = "first"
    LAST = "last"


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
    tag_names: Mapping[str, str]
    duplicate_tags: DuplicateTags
    resource_from: tuple[str, ...]
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
        tag_names: Mapping[str, str],
        duplicate_tags: str,
        resource_from: Collection[str],
        lineitem_id_column: str | None,
    ) -> FocusOptions:
        """
        Check the options.

        :raises ConfigurationError: naming the option and what is allowed.
        """
        return cls(
            MonthFrom.parse(month_from, "month_from"),
            _matching(currency, r"[A-Z]{3}", "currency", "a code of three capital letters, like USD"),
            UnusedCommitment.parse(unused_commitment, "unused_commitment"),
            RecurringCommitment.parse(recurring_commitment, "recurring_commitment"),
            NegativeQuantity.parse(negative_quantity, "negative_quantity"),
            _matching(
                id_separator, r"[!-.0-9;-~]", "id_separator", "one printable ASCII character other than ':' and '/'"
            ),
            _names(tag_columns, "tag_columns", "a list of column names"),
            _tag_names(tag_names),
            DuplicateTags.parse(duplicate_tags, "duplicate_tags"),
            _names(resource_from, "resource_from", f"a list of column names and tags, like {FROM_TAG}project"),
            lineitem_id_column,
        )

    @property
    def required_columns(self) -> tuple[str, ...]:
        """Additional columns that these options require."""
        return ("BillingPeriodStart",) if self.month_from is MonthFrom.BILLING_PERIOD else ()

    @property
    def chosen_columns(self) -> dict[str, str]:
        """Columns named by options: column → option."""
        chosen = dict.fromkeys(self.tag_columns, "tag_columns")
        chosen |= {name: "resource_from" for name in self.resource_from if not name.startswith(FROM_TAG)}
        return chosen | ({self.lineitem_id_column: "lineitem_id_column"} if self.lineitem_id_column is not None else {})


def _matching(value: Any, pattern: str, option: str, expected: str) -> str:
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise ConfigurationError(f"{option} is {value!r}: expected {expected}.")
    return value


def _names(value: Any, option: str, expected: str) -> tuple[str, ...]:
    # The order of a set differs between processes, and the order of the names matters.
    is_list = isinstance(value, Collection) and not isinstance(value, (str, Set))
    if not is_list or not all(isinstance(name, str) for name in value):
        raise ConfigurationError(f"{option} is {value!r}: expected {expected}.")
    return tuple(dict.fromkeys(value))


def _tag_names(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"tag_names is {value!r}: expected a dict of tag keys and the names to send.")
    for key, name in value.items():
        if not isinstance(key, str) or not isinstance(name, str) or not TAG_KEY.fullmatch(name):
            raise ConfigurationError(f"tag_names names {key!r} {name!r}: {TAG_KEY_RULE}.")
    return dict(value)
