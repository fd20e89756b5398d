"""
Aggregate rows before they are sent, for a month that exceeds an AnyCost Stream's limits.

A DAG file imports this module, so nothing heavy is imported here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloudzero_provider.anycost.aggregation.options import ALL_TAGS, Period
from cloudzero_provider.anycost.columns import (
    COLUMNS,
    TAG_KEY,
    TAG_KEY_RULE,
    TAG_PREFIX,
    USAGE_START,
    Kind,
    did_you_mean,
    is_tag,
    kind_of,
)
from cloudzero_provider.exceptions import ConfigurationError

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Aggregation:
    """
    A transform that aggregates rows; :func:`aggregate` returns one.

    :param by: the columns to keep.
    :param period: what ``time/usage_start`` is truncated to.
    """

    by: tuple[str, ...]
    period: Period

    def __repr__(self) -> str:
        return f"aggregate(by={list(self.by)!r}, period={self.period.value!r})"

    def __call__(self, frame: pl.DataFrame) -> pl.DataFrame:
        """
        Aggregate rows.

        :param frame: rows in the columns of the Common Bill Format.
        """
        from cloudzero_provider.anycost.aggregation.rows import aggregate_rows

        return aggregate_rows(frame, self.by, self.period)


def aggregate(by: list[str], period: str = "hour") -> Aggregation:
    """
    Return a ``transform`` that aggregates rows exactly, for a month that exceeds an AnyCost Stream's limits.

    Rows that are equal in the columns of ``by``, in ``lineitem/type`` and in the period become one row:

    * Costs are summed as exact decimals. A blank cost counts as the value that CloudZero falls back to
      (https://docs.cloudzero.com/docs/anycost-common-bill-format-cbf, "Precedence for cost columns"). It stays
      blank where all rows are blank and CloudZero's fallback has the same result. So no cost column's total changes.
    * ``time/usage_start`` becomes the start of the period, in UTC.
    * ``lineitem/type`` is kept if present, since Tax would become Usage without it; a blank one counts as Usage.
    * ``usage/amount`` is summed if ``usage/units`` is in ``by`` or no row has units, since amounts in different units
      have no sum. A blank one counts as 1, as it does for CloudZero.
    * All other columns are left out; the log names them.

    CloudZero keeps one set of tags per ``resource/id``, the latest, and applies it to earlier months too. So if tags
    are kept and ``resource/id`` is not, each combination of tags (and of the kept account, service and region) gets its
    own ``resource/id``, ``aggregate/<hash>``, which is the same in every month. Rows without a tag get none.

    With ``period="day"``, all costs of a day are in its first hour. If the month was sent by hour before,
    ``replace_hourly`` would leave the other hours in place: send the whole month with ``replace_drop``.

    The result does not depend on the order of the rows.

    :param by: CBF columns to keep: text columns, tags like ``resource/tag:team``, or ``resource/tag:*`` for all tags. A
        tag that no row has is logged; any other missing column is an error.
    :param period: ``hour`` or ``day``.
    :raises ConfigurationError: when a column can't be kept, or the period is not valid.
    """
    if not isinstance(by, (list, tuple)) or not all(isinstance(name, str) for name in by):
        raise ConfigurationError(f"by is {by!r}: expected a list of CBF columns, for example ['resource/service'].")
    for name in by:
        reason = _reason_against(name) or ("it is listed twice" if by.count(name) > 1 else None)
        if reason:
            raise ConfigurationError(f"by names {name!r}, which can't be kept: {reason}.")
    return Aggregation(tuple(by), Period.parse(period, "period"))


def _reason_against(name: str) -> str | None:
    if is_tag(name):
        good = name == ALL_TAGS or TAG_KEY.fullmatch(name.removeprefix(TAG_PREFIX))
        return None if good else TAG_KEY_RULE
    if name not in COLUMNS:
        return f"it is not a column of the Common Bill Format{did_you_mean(name)}"
    if kind_of(name) is Kind.DECIMAL:
        return "it is summed"
    if kind_of(name) in (Kind.HOUR, Kind.TIMESTAMP):
        return f"the only time that is kept is {USAGE_START}, truncated to the period"
    return None
