"""Summaries: what the tasks of a bucket return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cloudzero_provider.values.counted import counted


@dataclass(frozen=True)
class BucketDropSummary:
    """
    Summary of a month that was written.

    :param month: like ``2026-03``.
    :param bucket_path: the root, without credentials.
    :param drop_id: the current drop of the month; ``None`` when the rows were only checked.
    :param previous_drop_id: the drop that was current before; ``None`` when there was none.
    :param rows: number of rows.
    :param replaced_rows: number of rows of the previous drop; ``None`` when it is not known.
    :param files: number of files; 0 when the drop is unchanged.
    :param bytes: size of all files, compressed; 0 likewise.
    :param total_cost: exact sum of ``cost/cost``, as a decimal string.
    :param replaced_cost: the same of the previous drop; ``None`` when it is not known.
    :param hours: number of hours that the rows cover.
    :param sha256: hash of the text of all files, in order.
    :param removed_drops: ids of earlier drops that were removed.
    :param check_only: whether the rows were only checked, and nothing was written.
    :param unchanged: whether the current drop held the same rows before, so that nothing was written.
    """

    month: str
    bucket_path: str
    drop_id: str | None
    previous_drop_id: str | None
    rows: int
    replaced_rows: int | None
    files: int
    bytes: int
    total_cost: str
    replaced_cost: str | None
    hours: int
    sha256: str
    removed_drops: tuple[str, ...] = ()
    check_only: bool = False
    unchanged: bool = False

    def __str__(self) -> str:
        """Month, rows and total."""
        done = ", only checked" if self.check_only else ", unchanged" if self.unchanged else ""
        return f"{self.month}: {counted(self.rows, 'row')}, total cost {self.total_cost}{done}"

    def as_dict(self) -> dict[str, Any]:
        """The summary as plain JSON values."""
        return {**vars(self), "removed_drops": list(self.removed_drops)}


@dataclass(frozen=True)
class RollbackSummary:
    """
    Summary of a month whose manifest points to an earlier drop again.

    :param month: like ``2026-03``.
    :param bucket_path: the root, without credentials.
    :param drop_id: the current drop.
    :param previous_drop_id: the drop that was current before.
    :param rows: number of rows of the current drop.
    :param total_cost: exact sum of its ``cost/cost``, as a decimal string.
    :param unchanged: whether it was the current drop before.
    """

    month: str
    bucket_path: str
    drop_id: str
    previous_drop_id: str | None
    rows: int
    total_cost: str
    unchanged: bool = False

    def __str__(self) -> str:
        """Month, drop, rows and total."""
        done = ", unchanged" if self.unchanged else ""
        return f"{self.month}: drop {self.drop_id}, {counted(self.rows, 'row')}, total cost {self.total_cost}{done}"

    def as_dict(self) -> dict[str, Any]:
        """The summary as plain JSON values."""
        return dict(vars(self))
