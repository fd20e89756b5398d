"""Read Parquet files. Columns keep their types."""

from __future__ import annotations

import polars as pl

from cloudzero_provider.exceptions import InputError
from cloudzero_provider.sources.arrow_maps import with_all_entries
from cloudzero_provider.sources.frames import table
from cloudzero_provider.sources.rows import POLARS_ERRORS, Rows
from cloudzero_provider.values.row_places import row_number


def read_parquet(name: str, path: str) -> Rows:
    """
    Read a Parquet file.

    :param name: the file's name, for errors.
    :param path: the local path.
    :raises InputError: when it is not a complete Parquet file.
    """
    try:
        frame = pl.read_parquet(path, glob=False, hive_partitioning=False)
    except POLARS_ERRORS as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{name}: not a readable Parquet file ({reason}).") from None
    frame = with_all_entries(name, path, frame)
    return table(frame, lambda index: f"{name}, {row_number(index)}")
