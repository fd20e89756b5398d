"""Apply the user's transforms, and know the place of a row after them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import polars as pl

from cloudzero_provider.exceptions import CloudZeroError, ConfigurationError, InputError, TransformError
from cloudzero_provider.sources.frames import collected, from_frame
from cloudzero_provider.sources.rows import POLARS_ERRORS, Rows, joined
from cloudzero_provider.sources.typed_frame import to_frame
from cloudzero_provider.values.counted import counted
from cloudzero_provider.values.month_hints import collected_hints
from cloudzero_provider.values.row_places import places_of, row_number

if TYPE_CHECKING:
    from collections.abc import Iterable

Transform = Callable[[pl.DataFrame], pl.DataFrame]

log = logging.getLogger(__name__)

_SHOWN_ERROR = 300
_NESTED = (pl.List, pl.Array, pl.Struct, pl.Object)


def gathered(
    parts: Iterable[Rows],
    transform: Transform | Sequence[Transform] | None,
    *,
    join: Callable[[list[Rows]], Rows] | None = None,
) -> Rows:
    """
    Read all parts, and apply transforms to the rows of all of them.

    :param parts: the rows of each source; reading may go on while they are iterated.
    :param transform: as for :func:`apply_transforms`; ``None`` leaves the rows as they are.
    :param join: concatenates the parts; by default, and before a transform, column by column.
    :return: the rows, with the transforms' hint about rows of another month.
    """
    with collected_hints() as hints:
        rows = [*parts]
        if transform is not None:
            rows = [apply_transforms(joined(rows), transform)]
    return replace((join or joined)(rows), month_hint="; ".join(hints))


def apply_transforms(rows: Rows, transform: Transform | Sequence[Transform]) -> Rows:
    """
    Apply transforms in order.

    :param rows: rows as given. If there are none, nothing is applied.
    :param transform: a function from a polars frame to a polars frame, or a list of such functions.
    :return: the rows of the last function's frame. Their places are those of the rows they were made from, where that
        is certain.
    :raises ConfigurationError: when one is not a function, or does not return a frame.
    :raises TransformError: when one raises an error that is not of this package.
    """
    functions = [transform] if callable(transform) else transform
    if not isinstance(functions, Sequence) or isinstance(functions, str) or not all(map(callable, functions)):
        raise ConfigurationError(
            f"transform is {transform!r}: expected a function from a polars frame to a polars frame, or a list of them."
        )
    if not rows.count or not functions:
        return rows
    given = frame = to_frame(rows)
    where: Callable[[int], str] = rows.where
    for function in functions:
        with places_of(frame, where):
            frame = _apply(function, frame, rows.source)
        where = _where_after(given, frame, rows)
    made = from_frame(frame)
    return Rows(made.columns, made.count, where, is_table=True, source=rows.source)


def _apply(function: Transform, frame: pl.DataFrame, source: str) -> pl.DataFrame:
    name = getattr(function, "__name__", None) or repr(function)
    try:
        result: Any = function(frame)
        if isinstance(result, pl.LazyFrame):
            result = collected(result)
    except CloudZeroError:
        raise
    except (Exception, *POLARS_ERRORS) as error:
        raise TransformError(_failure(name, error, frame, source)) from error
    if not isinstance(result, pl.DataFrame):
        hint = " Does it end with a return?" if result is None else ""
        raise ConfigurationError(
            f"transform: {name} returned a {type(result).__name__}, not a polars DataFrame.{hint} Nothing was sent."
        )
    if not result.width:
        raise InputError(
            f"transform: {name} returned a frame without columns. To send no rows, return frame.clear(). "
            "Nothing was sent."
        )
    log.info("transform: %s converted %s to %s", name, counted(frame.height, "row"), f"{result.height:,}")
    return result


def _failure(name: str, error: BaseException, frame: pl.DataFrame, source: str) -> str:
    told = " ".join(str(error).split())
    told = told if len(told) <= _SHOWN_ERROR else f"{told[:_SHOWN_ERROR]}…"
    of = f" on the rows of {source}" if source else ""
    return (
        f"transform: {name} failed{of}, so nothing was sent. {type(error).__name__}: {told.rstrip('.')}. The columns "
        f"it was given: {', '.join(frame.columns)}."
    )


def _where_after(given: pl.DataFrame, made: pl.DataFrame, rows: Rows) -> Callable[[int], str]:
    """
    Describe the place of a row after a transform.

    It is that of the row it was made from if both frames have as many rows, and the values that the transform left as
    they were, in columns of any name, occur in no other row. All others are numbered.
    """
    unchanged = _unchanged_columns(given, made)
    # Without the rows, so that their columns are not held.
    place, of = rows.where, f" ({rows.source})" if rows.source else ""

    @cache
    def is_certain() -> pl.Series:
        return unchanged.is_unique()

    def where(index: int) -> str:
        if unchanged.width and is_certain()[index]:
            return place(index)
        return f"{row_number(index)} after the transform{of}"

    return where


def _unchanged_columns(given: pl.DataFrame, made: pl.DataFrame) -> pl.DataFrame:
    if given.height != made.height:
        return pl.DataFrame()
    return pl.DataFrame(
        [
            column
            for column in made
            if not isinstance(column.dtype, _NESTED) and any(_is_equal(column, other) for other in given)
        ]
    )


def _is_equal(column: pl.Series, other: pl.Series) -> bool:
    return (
        column.dtype == other.dtype
        and column.head(10).equals(other.head(10), null_equal=True)
        and column.equals(other, null_equal=True)
    )
