"""Use more than one core: polars computes many things on one, without Python's global lock."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

Item = TypeVar("Item")
Result = TypeVar("Result")

_THREADS = 2
#: For fewer rows, handing a column to a thread takes longer than what is done with it.
_MANY_ROWS = 10_000


def in_parallel(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """
    Apply a function to each item, two at a time.

    :param function: what is applied.
    :param items: iterated as results are taken, so that they and the results are never all in memory.
    :return: the results, in the order of the items.
    """
    with ThreadPoolExecutor(_THREADS) as threads:
        ahead: deque[Future[Result]] = deque()
        for item in items:
            ahead.append(threads.submit(function, item))
            if len(ahead) == _THREADS:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def for_columns(function: Callable[[Item], Result], columns: Iterable[Item], rows: int) -> Iterator[Result]:
    """
    Apply a function to each column, two at a time if they are long.

    :param function: what is applied.
    :param columns: the columns, or their names.
    :param rows: the length of each.
    """
    if rows < _MANY_ROWS:
        yield from map(function, columns)
        return
    with ThreadPoolExecutor(_THREADS) as threads:
        # Not in_parallel: all results are kept anyway, and a column that takes long would hold up the next ones.
        yield from threads.map(function, columns)
