"""Read Parquet files. Columns keep their types."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import polars as pl

from cloudzero_provider.exceptions import InputError
from cloudzero_provider.sources.arrow_maps import MapReader
from cloudzero_provider.sources.frames import collected, table
from cloudzero_provider.sources.rows import POLARS_ERRORS, Rows
from cloudzero_provider.values.row_places import row_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def read_parquet(name: str, path: str) -> Rows:
    """
    Read a Parquet file.

    :param name: the file's name, for errors.
    :param path: the local path.
    :raises InputError: when it is not a complete Parquet file.
    """
    with _readable(name):
        # From the chunks of several row groups, rows would be gathered several times as slowly.
        frame = pl.read_parquet(path, glob=False, hive_partitioning=False).rechunk()
    return table(MapReader(name, path, frame.schema).completed(frame), _place_after(name, 0))


def parquet_batches(name: str, path: str, rows_per_batch: int) -> Iterator[Rows]:
    """
    Read a Parquet file in batches, each with all columns. Parameters and errors are those of :func:`read_parquet`.

    :param rows_per_batch: the most rows of a batch.
    :return: at least one batch.
    """
    # Opens the file once for each batch, and decodes again what comes before the batch in its row group. For a group of
    # 12 million rows, that takes less than a second more than reading it at once, and nothing for usual groups.
    lazy = pl.scan_parquet(path, glob=False, hive_partitioning=False)
    count = _count(lazy)
    if count is None or count <= rows_per_batch:
        yield read_parquet(name, path)
        return
    with _readable(name):
        maps = MapReader(name, path, lazy.collect_schema())
    for start in range(0, count, rows_per_batch):
        with _readable(name):
            frame = collected(lazy.slice(start, rows_per_batch))
        yield table(maps.completed(frame), _place_after(name, start))


def _count(lazy: pl.LazyFrame) -> int | None:
    try:
        count: int = collected(lazy.select(pl.len())).item()
    except POLARS_ERRORS:
        # Reading the whole file reports what is wrong.
        return None
    return count


def _place_after(name: str, start: int) -> Callable[[int], str]:
    return lambda index: f"{name}, {row_number(start + index)}"


@contextmanager
def _readable(name: str) -> Iterator[None]:
    try:
        yield
    except POLARS_ERRORS as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{name}: not a readable Parquet file ({reason}).") from None
