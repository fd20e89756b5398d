"""
Read maps of Parquet and Arrow as lists of entries, which all versions of polars support.

polars 1 reads a map as a List of Struct with ``key`` and ``value``. polars 2 has its own type
``Map``, and on reading one from Parquet silently keeps only the last of two entries with the same key.
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
    """Whether a type is polars' type for maps."""
    return _MAP is not None and isinstance(dtype, _MAP)


def as_entries(series: pl.Series) -> pl.Series:
    """
    Convert a map to a List of Struct with ``key`` and ``value``.

    :param series: of type ``Map``.
    """
    entries: pl.Series = getattr(series, "map").entries()  # noqa: B009  (unknown to the types of polars 1)
    return entries


def with_all_entries(name: str, path: str, frame: pl.DataFrame) -> pl.DataFrame:
    """
    Read the maps of a Parquet file again with all their entries, including duplicate keys.

    pyarrow reads all entries. If it is not installed, the entries that polars read stay, with a warning.

    :param name: the file's name, for the log.
    :param path: the local path.
    :param frame: the file as polars read it.
    """
    maps = [series.name for series in frame if is_map(series.dtype)]
    if not maps:
        return frame
    try:
        return frame.with_columns(_read_with_arrow(path, maps))
    except _ArrowError as error:
        log.warning(
            "%s: polars %s keeps only the last of two map entries with the same key, so duplicate keys in %s can't be "
            "detected (%s). Install pyarrow, which reads all entries.",
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
        # pyarrow raises errors of many kinds, and polars could read the file.
        raise _ArrowError(f"pyarrow can't read them: {type(error).__name__}") from None
    if set(read.columns) != set(maps):
        raise _ArrowError("pyarrow can't read them by name")
    return [as_entries(series) if is_map(series.dtype) else series for series in read]
