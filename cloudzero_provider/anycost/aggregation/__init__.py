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
    A transform that adds rows up; :func:`aggregate` makes it.

    :param by: the columns that are kept.
    :param period: what time is cut to.
    """

    by: tuple[str, ...]
    period: Period

    def __repr__(self) -> str:
        return f"aggregate(by={list(self.by)!r}, period={self.period.value!r})"

    def __call__(self, frame: pl.DataFrame) -> pl.DataFrame:
        """
        Add rows up.

        :param frame: rows in the columns of the Common Bill Format.
        """
        from cloudzero_provider.anycost.aggregation.rows import add_up

        return add_up(frame, self.by, self.period)


def aggregate(by: list[str], period: str = "hour") -> Aggregation:
    """
    Make a ``transform`` that adds rows up, exactly, for a month that is too big to be sent as it is.

    Rows that agree in the columns of ``by``, in ``lineitem/type`` and in the period become one row:

    * Costs are added up as exact decimals. A blank one counts as what CloudZero would take for it
      (https://docs.cloudzero.com/docs/anycost-common-bill-format-cbf, "Precedence for cost columns"), and stays blank
      where all rows are blank and CloudZero takes the same for their sum. So no total changes, of any cost column.
    * ``time/usage_start`` becomes the start of the period, in UTC.
    * ``lineitem/type`` is kept where there is one, since Tax would become Usage without it; a blank one is Usage.
    * ``usage/amount`` is added up when ``usage/units`` is in ``by``, or no row has units: amounts in different units
      have no sum. A blank one counts as 1, which is what CloudZero takes for it.
    * Everything else is left out; the log names it.

    CloudZero keeps one set of tags per ``resource/id``: the latest, also for the months before. So where tags are kept
    and ``resource/id`` is not, each combination of their values (and of the account, service and region that are kept)
    gets a ``resource/id`` of its own, ``aggregate/<hash>``, which is the same in every month. Rows without a tag get
    none.

    A day lies in its first hour. Where the month was sent by the hour before, ``replace_hourly`` would leave the other
    hours standing: send all of it with ``replace_drop``.

    The same rows in another order give the same rows, in the same order.

    :param by: CBF columns to keep: those that hold text, tags like ``resource/tag:team``, or ``resource/tag:*`` for all
        tags. A tag that no row has is nothing wrong (the log says so); another column that is missing is an error.
    :param period: ``hour`` or ``day``.
    :raises ConfigurationError: when a column can't be kept, or there is no such period.
    """
    if not isinstance(by, (list, tuple)) or not all(isinstance(name, str) for name in by):
        raise ConfigurationError(f"by is {by!r}: expected a list of CBF columns, like ['resource/service'].")
    for name in by:
        reason = _why_not(name) or ("it is named twice" if by.count(name) > 1 else None)
        if reason:
            raise ConfigurationError(f"by names {name!r}, which can't be kept: {reason}.")
    return Aggregation(tuple(by), Period.parse(period, "period"))


def _why_not(name: str) -> str | None:
    if is_tag(name):
        good = name == ALL_TAGS or TAG_KEY.fullmatch(name.removeprefix(TAG_PREFIX))
        return None if good else TAG_KEY_RULE
    if name not in COLUMNS:
        return f"it is no column of the Common Bill Format{did_you_mean(name)}"
    if kind_of(name) is Kind.DECIMAL:
        return "it is added up"
    if kind_of(name) in (Kind.HOUR, Kind.TIMESTAMP):
        return f"of times, only {USAGE_START} is kept, cut to the period"
    return None
