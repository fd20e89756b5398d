"""Columns with the engine's types, as the text that :func:`~cloudzero_provider.anycost.values.convert` reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from cloudzero_provider.anycost.columns import Kind

if TYPE_CHECKING:
    from cloudzero_provider.sources import Values


def readable(kind: Kind, series: pl.Series) -> Values:
    """
    Write a column as text, exactly; where its type does not fit its kind, take the values out for the error to show.

    :param kind: what the column holds.
    :param series: of any type.
    """
    dtype = series.dtype
    if dtype == pl.String:
        return series
    if kind in (Kind.HOUR, Kind.TIMESTAMP):
        if isinstance(dtype, pl.Datetime):
            moments = series if dtype.time_zone is None else series.dt.convert_time_zone("UTC")
            distinct = moments.unique()
            return moments.replace_strict(distinct, distinct.dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
        fits = dtype == pl.Date
    else:
        fits = dtype.is_numeric() if kind is Kind.DECIMAL else dtype.is_integer()
    if fits or dtype in (pl.Null, pl.Categorical, pl.Enum):
        return series.cast(pl.String)
    return series.to_list()
