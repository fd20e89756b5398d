"""Rows as strings, so that rows are equal where one string is, and few of them are in memory at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from cloudzero_provider.anycost.columns import USAGE_START
from cloudzero_provider.values.python_values import no_strings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Smaller than any other character, so that rows are in the order of their first value.
SEPARATOR = "\0"
#: Rows encoded at a time.
_PART = 50_000


def column_or_nulls(frame: pl.DataFrame, name: str) -> pl.Series:
    """Return a column; nulls if the frame does not have it."""
    return frame[name] if name in frame.columns else no_strings(frame.height).alias(name)


def encoded_rows(frame: pl.DataFrame, columns: Sequence[str]) -> pl.Series:
    """
    Encode each row; different rows become different strings.

    :param frame: columns of text; null where a row has no value. None is empty.
    :param columns: the columns to encode, which the frame need not have.
    """
    if not columns:
        return pl.repeat("", frame.height, eager=True)
    # polars reads some names as patterns, so it never sees the user's.
    values = pl.DataFrame([column_or_nulls(frame, name).alias(f"c{number}") for number, name in enumerate(columns)])
    texts = [pl.col(name).fill_null("") for name in values.columns]
    rows = values.select(row=pl.concat_str(texts, separator=SEPARATOR)).to_series()
    is_ambiguous = rows.str.count_matches(SEPARATOR) >= len(columns)
    if not is_ambiguous.any():
        return rows
    # A value has a separator in it.
    lengths = values.select(pl.concat_str([text.str.len_bytes() for text in texts], separator=","))
    return rows.zip_with(~is_ambiguous, rows + SEPARATOR + lengths.to_series())


def parts_of_hours(*frames: pl.DataFrame) -> Iterator[tuple[pl.DataFrame, ...]]:
    """
    Split months along the same hours: rows of different hours are never equal.

    :param frames: canonical frames.
    :return: the rows of each frame in some hours, in the order of the hours.
    """
    hours = [column_or_nulls(frame, USAGE_START).fill_null("") for frame in frames]
    counts = pl.concat(hours).alias("hour").to_frame().group_by("hour").len().sort("hour")
    part = ((pl.col("len").cum_sum() - pl.col("len")) // _PART).alias("part")
    bounds = counts.group_by(part).agg(first=pl.col("hour").min(), last=pl.col("hour").max()).sort("part")
    if bounds.height <= 1:
        yield frames
        return
    for first, last in bounds.select("first", "last").iter_rows():
        yield tuple(frame.filter(series.is_between(first, last)) for frame, series in zip(frames, hours, strict=True))
