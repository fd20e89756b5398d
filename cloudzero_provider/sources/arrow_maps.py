"""
Read maps of Parquet and Arrow as lists of entries, which all versions of polars support.

polars 1 reads a map as a List of Struct with ``key`` and ``value``. polars 2 has its own type
``Map``, and on reading one from Parquet silently keeps only the last of two entries with the same key.
"""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

log = logging.getLogger(__name__)

#: Rows that pyarrow reads at a time.
_ROWS = 50_000

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


class MapReader:
    """
    Reads the maps of a Parquet file again with all their entries, including duplicate keys.

    pyarrow reads all entries. If it is not installed, the entries that polars read stay, with a warning.

    :param name: the file's name, for the log.
    :param path: the local path.
    :param schema: the file's columns, as polars reads them.
    """

    def __init__(self, name: str, path: str, schema: Mapping[str, pl.DataType]) -> None:
        self._name = name
        self._maps = [column for column, dtype in schema.items() if is_map(dtype)]
        self._batches = _batches(path, self._maps)
        self._ahead: list[pl.DataFrame] = []

    def completed(self, frame: pl.DataFrame) -> pl.DataFrame:
        """
        Return the next rows of the file with all entries of their maps.

        :param frame: the rows as polars read them, after those of the previous call.
        """
        if not self._maps or not frame.height:
            return frame
        try:
            return frame.with_columns(map(_with_entries, self._next(frame.height)))
        except _ArrowError as error:
            log.warning(
                "%s: polars %s keeps only the last of two map entries with the same key, so duplicate keys in %s can't "
                "be detected (%s). Install pyarrow, which reads all entries.",
                self._name,
                pl.__version__,
                ", ".join(self._maps),
                error,
            )
            self._maps = []
            return frame

    def _next(self, rows: int) -> pl.DataFrame:
        while (missing := rows - sum(frame.height for frame in self._ahead)) > 0:
            found = next(self._batches, None)
            if found is None:
                raise _ArrowError(f"pyarrow finds {missing:,} rows less")
            self._ahead.append(found)
        whole = pl.concat(self._ahead)
        self._ahead = [whole.slice(rows)]
        return whole.head(rows)


class _ArrowError(Exception):
    """The maps can't be read with pyarrow."""


def _batches(path: str, maps: list[str]) -> Iterator[pl.DataFrame]:
    try:
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise _ArrowError("pyarrow is not installed") from None
    try:
        with parquet.ParquetFile(path, memory_map=True) as file:
            for batch in file.iter_batches(_ROWS, columns=maps):
                found = pl.DataFrame(batch)
                if set(found.columns) != set(maps):
                    raise _ArrowError("pyarrow can't read them by name")
                yield found
    except _ArrowError:
        raise
    except Exception as error:
        # pyarrow raises errors of many kinds, and polars could read the file.
        raise _ArrowError(f"pyarrow can't read them: {type(error).__name__}") from None


def _with_entries(series: pl.Series) -> pl.Series:
    return as_entries(series) if is_map(series.dtype) else series
