"""Collect the problems found in rows that are checked batch by batch, for one error about all of them."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING

from cloudzero_provider.values.problems import Problems, most_kept, raise_if_any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudzero_provider.exceptions import Problem
    from cloudzero_provider.sources import Rows


class BatchProblems:
    """The problems of all batches. Of the rows, only what is shown of those with problems is held."""

    def __init__(self) -> None:
        self._parts: list[Problems] = []

    @property
    def total(self) -> int:
        """How many were found."""
        return sum(problems.total for problems in self._parts)

    def of_next(self, rows: Rows) -> Problems:
        """
        Return what receives the problems of the next batch.

        :param rows: the batch.
        """
        most = most_kept()
        # Those of later batches are counted, but not described.
        return Problems(rows, 0 if most is not None and self.total >= most else most)

    def keep(self, problems: Problems) -> None:
        """
        Keep the problems of the next batch, and let go of its rows.

        :param problems: of the batch.
        """
        if not problems.is_empty:
            # The places of transformed rows hold the frame until the first of them is asked for.
            problems.rows.where(0)
            problems.settle()
            self._parts.append(problems)

    def keep_first(self, problems: Problems) -> None:
        """
        Keep problems of what precedes all batches.

        :param problems: of a row.
        """
        self._parts.insert(0, problems)

    def described(self, most: int | None = None) -> Iterator[Problem]:
        """
        Describe problems in the order of the rows.

        :param most: how many; by default, all that were kept.
        """
        return islice(chain.from_iterable(problems.described(most) for problems in self._parts), most)

    def raise_if_any(self) -> None:
        """
        Raise an error if any problem was found.

        :raises InvalidRowsError: as that of all rows together.
        """
        raise_if_any(self)
