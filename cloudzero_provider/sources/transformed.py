"""Apply the user's transforms, and know the place of a row after them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
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
    return replace((join or joined)(rows), month_hint=str(hints))


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
    steps = as_steps(transform)
    if not rows.count or not steps:
        return rows
    return apply_steps(steps, rows, log_each=True)


@dataclass
class Step:
    """
    One function of a transform, and what it did.

    :param function: the function.
    :param given: the number of rows that it was given.
    :param made: the number of rows that it returned.
    """

    function: Transform
    given: int = 0
    made: int = 0

    @property
    def name(self) -> str:
        """Name of the function, for errors and the log."""
        return getattr(self.function, "__name__", None) or repr(self.function)

    def log(self) -> None:
        """Log what it did."""
        log.info("transform: %s converted %s to %s", self.name, counted(self.given, "row"), f"{self.made:,}")


def as_steps(transform: Transform | Sequence[Transform]) -> list[Step]:
    """
    Read a transform.

    :param transform: as for :func:`apply_transforms`.
    :raises ConfigurationError: when one is not a function.
    """
    functions = [transform] if callable(transform) else transform
    if not isinstance(functions, Sequence) or isinstance(functions, str) or not all(map(callable, functions)):
        raise ConfigurationError(
            f"transform is {transform!r}: expected a function from a polars frame to a polars frame, or a list of them."
        )
    return [Step(function) for function in functions]


def apply_steps(steps: list[Step], rows: Rows, *, log_each: bool = False) -> Rows:
    """
    Apply the functions of a transform in order.

    :param steps: the functions. Rows that they returned before are counted in the places of these.
    :param rows: at least one row.
    :param log_each: whether to log what each of them did.
    """
    given = frame = to_frame(rows)
    where: Callable[[int], str] = rows.where
    for step in steps:
        start = step.made
        with places_of(frame, where):
            frame = _apply(step, frame, rows.source)
        where = _PlacesAfter(given, frame, rows, start)
        if log_each:
            step.log()
    made = from_frame(frame)
    return Rows(made.columns, made.count, where, is_table=True, source=rows.source)


def _apply(step: Step, frame: pl.DataFrame, source: str) -> pl.DataFrame:
    name = step.name
    try:
        result: Any = step.function(frame)
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
    step.given += frame.height
    step.made += result.height
    return result


def _failure(name: str, error: BaseException, frame: pl.DataFrame, source: str) -> str:
    told = " ".join(str(error).split())
    told = told if len(told) <= _SHOWN_ERROR else f"{told[:_SHOWN_ERROR]}…"
    of = f" on the rows of {source}" if source else ""
    return (
        f"transform: {name} failed{of}, so nothing was sent. {type(error).__name__}: {told.rstrip('.')}. The columns "
        f"it was given: {', '.join(frame.columns)}."
    )


class _PlacesAfter:
    """
    Describes the place of a row after a transform.

    It is that of the row it was made from if both frames have as many rows, and the values that the transform left as
    they were, in columns of any name, occur in no other row. All others are numbered.

    :param given: the frame before the transform.
    :param made: the frame after it.
    :param rows: the rows that ``given`` has.
    :param start: the number of rows before, for the numbers.
    """

    def __init__(self, given: pl.DataFrame, made: pl.DataFrame, rows: Rows, start: int) -> None:
        # Without the rows, so that their columns are not held; those of the frame are only until the first question.
        self._unchanged: pl.DataFrame | None = _unchanged_columns(given, made)
        self._is_certain: pl.Series | None = None
        self._place, self._of, self._start = rows.where, f" ({rows.source})" if rows.source else "", start

    def __call__(self, index: int) -> str:
        if self._unchanged is not None:
            self._is_certain = self._unchanged.is_unique() if self._unchanged.width else None
            self._unchanged = None
        if self._is_certain is not None and self._is_certain[index]:
            return self._place(index)
        return f"{row_number(self._start + index)} after the transform{self._of}"


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
