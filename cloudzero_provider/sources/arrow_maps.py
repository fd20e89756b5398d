"""
Maps of Parquet and Arrow as lists of entries, which any version of polars can hold.

polars 1 reads a map as a List of Struct with ``key`` and ``value``. polars 2 has a type ``Map`` of its own, and when it
reads one from Parquet, it keeps only the last of two entries with the same key, without a word.
"""

from __future__ import annotations

import importlib
import logging
from typing import Any

import polars as pl

log = logging.getLogger(__name__)

#: The type of a map; polars has one since version 2.
_MAP: Any = getattr(pl, "Map", None)


def is_map(dtype: pl.DataType) -> bool:
    """Whether a type is polars' own one of a map."""
    return _MAP is not None and isinstance(dtype, _MAP)


def as_entries(series: pl.Series) -> pl.Series:
    """
    Take a map as a List of Struct with ``key`` and ``value``.

    :param series: of type ``Map``.
    """
    entries: pl.Series = getattr(series, "map").entries()  # noqa: B009  (unknown to the types of polars 1)
    return entries


def with_all_entries(name: str, path: str, frame: pl.DataFrame) -> pl.DataFrame:
    """
    Put the maps of a Parquet file back as they stand in the file, keys that are there twice included.

    pyarrow reads all entries. Where it is not installed, what polars read stays, with a warning.

    :param name: of the file, as the user knows it.
    :param path: where it is.
    :param frame: what polars read from it.
    """
    maps = [series.name for series in frame if is_map(series.dtype)]
    if not maps:
        return frame
    try:
        return frame.with_columns(_read_with_arrow(path, maps))
    except _ArrowError as error:
        log.warning(
            "%s: polars %s keeps only the last of two entries of a map with the same key, so a key that is there twice "
            "in %s can't be seen (%s). Install pyarrow to have all entries read.",
            name,
            pl.__version__,
            ", ".join(maps),
            error,
        )
        return frame


class _ArrowError(Exception):
    """The maps can't be read with pyarrow."""


def _read_with_arrow(path: str, maps: list[str]) -> list[pl.Series]:
    try:
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise _ArrowError("pyarrow is not installed") from None
    try:
        with parquet.ParquetFile(path) as file:
            table = file.read(columns=maps)
        read = pl.DataFrame(table)
    except Exception as error:
        # Its errors are of many kinds, and polars has read the file.
        raise _ArrowError(f"pyarrow can't read them: {type(error).__name__}") from None
    if set(read.columns) != set(maps):
        raise _ArrowError("pyarrow can't read them by name")
    return [as_entries(series) if is_map(series.dtype) else series for series in read]
