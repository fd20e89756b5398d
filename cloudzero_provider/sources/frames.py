"""Read data frames of polars, pandas and Arrow. Columns keep their types."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

import polars as pl

from cloudzero_provider.exceptions import InputError
from cloudzero_provider.sources.arrow_maps import as_entries, is_map
from cloudzero_provider.sources.numpy_values import plain_values
from cloudzero_provider.sources.rows import POLARS_ERRORS, Rows, check_cells, compact, is_text
from cloudzero_provider.values.python_values import Values, as_objects
from cloudzero_provider.values.row_places import row_number

if TYPE_CHECKING:
    from collections.abc import Callable

#: Since polars 2.0, the type of a column with an Arrow extension type that polars does not know.
_EXTENSION: Any = getattr(pl, "BaseExtension", None)


def is_frame(value: Any) -> bool:
    """Whether a value is a data frame: of polars, of pandas, or anything with Arrow's stream interface."""
    return isinstance(value, (pl.DataFrame, pl.LazyFrame)) or _is_pandas(value) or hasattr(value, "__arrow_c_stream__")


def _is_pandas(value: Any) -> bool:
    # If pandas was never imported, no value can be one of its frames.
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, pandas.DataFrame)


def _is_reader(value: Any) -> bool:
    pyarrow = sys.modules.get("pyarrow")
    return pyarrow is not None and isinstance(value, pyarrow.RecordBatchReader)


def from_frame(frame: Any) -> Rows:
    """
    Read a data frame.

    :param frame: of polars (a lazy one is collected), of pandas (its index is left out; NaN, NaT and NA mean "no
        value"), or an Arrow table.
    :raises InputError: when a column's name is not text, or polars can't hold a column.
    """
    if isinstance(frame, pl.LazyFrame):
        frame = collected(frame)
    if _is_pandas(frame):
        return _from_pandas(frame)
    if _is_reader(frame):
        # Older versions of polars read a reader as a list of columns.
        frame = frame.read_all()
    if not isinstance(frame, pl.DataFrame):
        try:
            frame = pl.DataFrame(frame)
        except (*POLARS_ERRORS, ValueError, TypeError) as error:
            if "got external error" in str(error):
                # The stream's source failed; a retry may succeed.
                raise
            raise InputError(f"The {type(frame).__name__} can't be read as a table: {error}.") from None
    _check_names(frame.columns)
    return table(frame, row_number)


def collected(frame: pl.LazyFrame) -> pl.DataFrame:
    """
    Collect a lazy frame with its rows in the same order each time.

    polars 2 streams by default, and then a join or an ``unpivot`` returns rows in any order. A retry must see the same
    rows as the previous attempt, since what a ``sum`` has sent is identified by its hash.

    :param frame: the result of a user's function.
    """
    # "cpu" is the only name of the in-memory engine that every version accepts; polars' types list only "in-memory".
    return frame.collect(engine="cpu")  # type: ignore[call-overload,no-any-return]


def table(frame: pl.DataFrame, where: Callable[[int], str]) -> Rows:
    """
    Return a polars frame as rows.

    :param frame: with valid column names.
    :param where: returns the place of a row, for errors.
    """
    check_cells(frame.width, frame.height)
    return Rows({series.name: plain_type(series) for series in frame}, frame.height, where, is_table=True)


def plain_type(series: pl.Series) -> pl.Series:
    """
    Convert a column to a type that the rest of this package handles.

    Categories become text, an Arrow extension becomes what it stores, and a map becomes a list of entries.
    """
    if _EXTENSION is not None and isinstance(series.dtype, _EXTENSION):
        # BigQuery returns such columns. polars 1 reads their stored values itself.
        return plain_type(series.ext.storage())
    if is_map(series.dtype):
        return as_entries(series)
    if series.dtype in (pl.Categorical, pl.Enum, pl.Null):
        return series.cast(pl.String)
    return series


def _from_pandas(frame: Any) -> Rows:
    names = list(frame.columns)
    _check_names(names)
    check_cells(len(names), len(frame))
    columns = {name: _pandas_column(frame.iloc[:, number]) for number, name in enumerate(names)}
    return Rows(columns, len(frame), row_number, is_table=True)


def _pandas_column(column: Any) -> Values:
    """Convert value by value, which keeps a column of Decimals exact."""
    if column.dtype.kind == "f" and getattr(column.dtype, "itemsize", None) == 2:
        return compact(plain_values(list(column.to_numpy())))
    if column.dtype.kind == "f" and getattr(column.dtype, "itemsize", None) == 4:
        return as_objects(pl.Series(values=column.to_numpy("float32", na_value=math.nan), nan_to_null=True))
    values = column.astype(object)
    return compact(plain_values(values.where(column.notna(), None).tolist()))


def _check_names(names: list[Any]) -> None:
    for number, name in enumerate(names, start=1):
        if not is_text(name):
            raise InputError(f"Column {number} of the table has the name {name!r}: names are non-empty Unicode text.")
        if names.index(name) < number - 1:
            raise InputError(f"The table has two columns {name!r}.")
