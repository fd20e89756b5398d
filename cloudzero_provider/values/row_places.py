"""The places of the rows of a frame that a user's transform receives, for the errors of our own functions in it."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import polars as pl

    Place = Callable[[int], str]

_GIVEN: ContextVar[tuple[pl.DataFrame, Place] | None] = ContextVar("cloudzero_given_frame", default=None)


def row_number(index: int) -> str:
    """Describe the place of a record, counted from 1."""
    return f"row {index + 1:,}"


@contextmanager
def places_of(frame: pl.DataFrame, where: Place) -> Iterator[None]:
    """
    Let :func:`where_in` know a frame's rows inside the block.

    :param frame: what a transform receives.
    :param where: returns the place of a row (counted from 0).
    """
    token = _GIVEN.set((frame, where))
    try:
        yield
    finally:
        _GIVEN.reset(token)


def where_in(frame: pl.DataFrame) -> Place:
    """
    Return what describes the places of a frame's rows: file and line, if they are known.

    :param frame: the frame as the transform received it. The rows of any other frame, such as one that the user's
        function has filtered, are numbered.
    """
    given = _GIVEN.get()
    return given[1] if given is not None and given[0] is frame else row_number
