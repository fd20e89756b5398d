"""Find the rows that two versions of a month do not share, and pair those of them that differ in their amounts only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from cloudzero_provider.anycost.columns import COST, COST_COLUMNS, USAGE_AMOUNT, USAGE_START, in_cbf_order
from cloudzero_provider.anycost.comparison.contents import CANONICAL_HOUR
from cloudzero_provider.anycost.comparison.encoding import column_or_nulls, encoded_rows, parts_of_hours
from cloudzero_provider.values.parallel import in_parallel

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Rows that differ only in these are the same item with other amounts.
AMOUNT_COLUMNS = frozenset({*COST_COLUMNS, USAGE_AMOUNT})
NO_VALUE = "(none)"

#: What became of a row, by whether a row of the other version is its pair, and by its version.
REMOVED, ADDED, CHANGED_BEFORE, CHANGED_AFTER = "removed", "added", "changed before", "changed after"


def places_of(frame: pl.DataFrame, by: str) -> pl.DataFrame:
    """
    Return where each row belongs.

    :param frame: a canonical frame.
    :param by: the column that groups rows besides the day.
    :return: columns ``day``, ``value`` (of ``by``) and ``cost`` (null for rows without one).
    """
    hour, value, cost = (column_or_nulls(frame, name) for name in (USAGE_START, by, COST))
    return pl.DataFrame({"hour": hour, "value": value, "cost": cost}).select(
        day=pl.when(pl.col("hour").str.contains(CANONICAL_HOUR))
        .then(pl.col("hour").str.slice(0, 10))
        .otherwise(pl.lit(NO_VALUE)),
        value=pl.col("value").fill_null(NO_VALUE),
        cost="cost",
    )


def differing_rows(before: pl.DataFrame, after: pl.DataFrame, by: str) -> pl.DataFrame:
    """
    Return the rows that are left when equal rows of both versions cancel.

    Rows that are equal in every column but the amounts are paired in the order of their costs, so that the smaller
    number of them has changed, and the surplus was added or removed.

    :param before: a canonical frame.
    :param after: a canonical frame.
    :param by: the column that groups rows besides the day.
    :return: the columns of :func:`places_of`, and ``status``.
    """
    columns = in_cbf_order(list({*before.columns, *after.columns}))
    parts = in_parallel(lambda part: _without_equal(part[0], part[1], columns), parts_of_hours(before, after))
    found = [pl.concat(versions) for versions in zip(*parts, strict=True)]
    keys = [name for name in columns if name not in AMOUNT_COLUMNS]
    rows = pl.concat(
        places_of(frame, by).with_columns(key=encoded_rows(frame, keys), is_after=pl.lit(value=is_after))
        for frame, is_after in zip(found, (False, True), strict=True)
    )
    return _with_status(rows).select("day", "value", "cost", "status")


def _without_equal(
    before: pl.DataFrame, after: pl.DataFrame, columns: Sequence[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Remove equal rows of both frames, as many of one as of the other."""
    rows = pl.concat([_encoded(before, columns, is_after=False), _encoded(after, columns, is_after=True)])
    counts = rows.group_by("row").agg(after=pl.col("is_after").sum(), before=(~pl.col("is_after")).sum())
    unequal = counts.filter(pl.col("before") != pl.col("after")).with_row_index("group")
    occurrences = _ranked(rows.join(unequal, on="row").sort("group", "is_after"))
    rest = occurrences.filter(pl.col("rank") >= pl.min_horizontal("before", "after"))
    return (
        before[rest.filter(~pl.col("is_after"))["index"]],
        after[rest.filter(pl.col("is_after"))["index"]],
    )


def _encoded(frame: pl.DataFrame, columns: Sequence[str], *, is_after: bool) -> pl.DataFrame:
    rows = encoded_rows(frame, columns).to_frame("row")
    return rows.with_row_index().with_columns(is_after=pl.lit(value=is_after))


def _with_status(rows: pl.DataFrame) -> pl.DataFrame:
    """Pair rows of one key: in the order of their costs, and of equal numbers in the order of their digits."""
    ordered = rows.sort(pl.col("key"), pl.col("is_after"), pl.col("cost").cast(pl.Float64), pl.col("cost"))
    ranked = _ranked(ordered.with_columns(group=pl.col("key").rle_id()))
    is_after = pl.col("is_after")
    pairs = pl.min_horizontal(is_after.sum().over("group"), (~is_after).sum().over("group"))
    is_paired = pl.col("rank") < pairs
    status = (
        pl.when(is_paired & is_after)
        .then(pl.lit(CHANGED_AFTER))
        .when(is_paired)
        .then(pl.lit(CHANGED_BEFORE))
        .when(is_after)
        .then(pl.lit(ADDED))
        .otherwise(pl.lit(REMOVED))
    )
    return ranked.with_columns(status=status)


def _ranked(rows: pl.DataFrame) -> pl.DataFrame:
    """Number the rows of each version of each group, from 0: sorted by ``group`` and ``is_after``."""
    # int_range over each group takes several times as long.
    first = pl.col("place").min().over("group", "is_after")
    return rows.with_row_index("place").with_columns(rank=pl.col("place") - first)
