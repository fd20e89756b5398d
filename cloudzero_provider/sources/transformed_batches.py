"""Apply the user's transforms to rows that come in batches."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cloudzero_provider.exceptions import InvalidRowsError
from cloudzero_provider.sources.transformed import Step, Transform, apply_steps, as_steps
from cloudzero_provider.values.month_hints import MonthHints, collected_hints
from cloudzero_provider.values.python_values import Values, no_strings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cloudzero_provider.sources.rows import Rows


def transformed_batches(batches: Iterable[Rows], transform: Transform | Sequence[Transform] | None) -> Iterator[Rows]:
    """
    Apply transforms to each batch of rows by itself.

    That is right only for functions that treat each row by itself, such as
    :func:`~cloudzero_provider.anycost.focus.to_cbf`. One that groups, sorts or counts rows sees only those of a batch.

    A function may return other columns for each batch, such as those of tags. So each batch also has the columns of
    those before it, without values: only a batch with a new column has other columns than the one before. A batch
    without rows has none.

    :param batches: the rows; read one at a time, and not held.
    :param transform: as for :func:`~cloudzero_provider.sources.apply_transforms`; with ``None``, or without any
        function, batches stay as they are.
    :return: a batch for each given one. Places are those of the rows it was made from, where that is certain; all
        others are numbered as the rows of a file after the transform. The hint about rows of another month is that of
        all batches so far.
    :raises ConfigurationError: when one is not a function, or does not return a frame.
    :raises TransformError: when one raises an error that is not of this package.
    :raises InvalidRowsError: when rows break a rule of a transform. It counts those of the first batch that has any.
    """
    if transform is None or not as_steps(transform):
        yield from batches
        return
    hints = MonthHints()
    names: dict[str, None] = {}
    steps: list[Step] = []
    source: str | None = None
    rest = iter(batches)
    for rows in rest:
        if rows.source != source:
            _log(steps)
            steps, source = as_steps(transform), rows.source
        if rows.count:
            made = _with_columns(_transformed(rows, steps, hints, rest), names)
            yield replace(made, month_hint=str(hints))
        else:
            yield replace(rows, columns={}, month_hint=str(hints))
    _log(steps)


def _transformed(rows: Rows, steps: list[Step], hints: MonthHints, rest: Iterator[Rows]) -> Rows:
    try:
        with collected_hints(hints):
            return apply_steps(steps, rows)
    except InvalidRowsError as error:
        if any(later.count for later in rest):
            error.add_line(f"The rows after {rows.where(rows.count - 1)} were not checked.")
        raise


def _with_columns(rows: Rows, names: dict[str, None]) -> Rows:
    """Add the columns of earlier batches, and remember those of this one."""
    if not rows.count:
        return replace(rows, columns={})
    names.update(dict.fromkeys(rows.columns))
    columns: dict[str, Values] = {
        name: rows.columns[name] if name in rows.columns else no_strings(rows.count) for name in names
    }
    return replace(rows, columns=columns)


def _log(steps: list[Step]) -> None:
    for step in steps:
        if step.given:
            step.log()
