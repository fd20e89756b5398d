"""Parquet files. Columns keep the types they have."""

from __future__ import annotations

import polars as pl

from cloudzero_provider.exceptions import InputError
from cloudzero_provider.sources.arrow_maps import with_all_entries
from cloudzero_provider.sources.frames import table
from cloudzero_provider.sources.rows import ENGINE_ERRORS, Rows, row_number


def read_parquet(name: str, path: str) -> Rows:
    """
    Read a Parquet file.

    :param name: of the file, as the user knows it.
    :param path: where it is.
    :raises InputError: when it is none, or is cut short.
    """
    try:
        frame = pl.read_parquet(path, glob=False, hive_partitioning=False)
    except ENGINE_ERRORS as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{name}: no Parquet file that can be read ({reason}).") from None
    frame = with_all_entries(name, path, frame)
    return table(frame, lambda index: f"{name}, {row_number(index)}")
