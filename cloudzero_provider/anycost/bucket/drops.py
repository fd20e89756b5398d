"""List the drops of a month."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from cloudzero_provider.anycost.bucket.held import read_description
from cloudzero_provider.anycost.bucket.layout import MonthFolder, started_at
from cloudzero_provider.anycost.bucket.manifest import read_manifest
from cloudzero_provider.anycost.columns import COST
from cloudzero_provider.values.counted import counted
from cloudzero_provider.values.markdown_tables import amount, table
from cloudzero_provider.values.markdown_text import shown

if TYPE_CHECKING:
    from cloudzero_provider.anycost.bucket.description import DropDescription
    from cloudzero_provider.anycost.bucket.store import BucketStore, Listed
    from cloudzero_provider.months import Month


@dataclass(frozen=True)
class ListedDrop:
    """
    A drop of a month.

    :param drop_id: its id.
    :param is_current: whether the manifest names it.
    :param is_complete: whether all of its files are there; ``None`` for a drop that another program wrote.
    :param rows: number of rows; ``None`` for a drop that another program wrote.
    :param total_cost: exact sum of ``cost/cost``, as a decimal string; ``None`` likewise.
    :param files: number of CSV files that are there.
    :param bytes: their size.
    """

    drop_id: str
    is_current: bool
    is_complete: bool | None
    rows: int | None
    total_cost: str | None
    files: int
    bytes: int


@dataclass(frozen=True)
class DropList:
    """
    The drops of a month.

    :param month: like ``2026-03``.
    :param bucket_path: the root.
    :param current_drop_id: that the manifest names; ``None`` when there is no manifest.
    :param drops: the oldest first.
    """

    month: str
    bucket_path: str
    current_drop_id: str | None
    drops: tuple[ListedDrop, ...]

    def __str__(self) -> str:
        """Month, number of drops, and the current one."""
        return f"{self.month}: {counted(len(self.drops), 'drop')}, current {self.current_drop_id or 'none'}"

    def as_dict(self) -> dict[str, Any]:
        """The list as plain JSON values, and as ``markdown``."""
        drops = [asdict(drop) for drop in self.drops]
        return {**vars(self), "drops": drops, "markdown": self.markdown()}

    def markdown(self) -> str:
        """The list as a table in Markdown."""
        return "\n".join(
            [f"### {self.month}: drops in {shown(self.bucket_path)}\n", *table(_COLUMNS, self._lines(), texts=3)]
        )

    def _lines(self) -> list[list[str]]:
        return [
            [
                shown(drop.drop_id),
                "current" if drop.is_current else "",
                _state(drop),
                "" if drop.rows is None else f"{drop.rows:,}",
                "" if drop.total_cost is None else amount(drop.total_cost),
                f"{drop.files:,}",
                f"{drop.bytes:,}",
            ]
            for drop in reversed(self.drops)
        ]

    def lines(self) -> list[str]:
        """Each drop in a line of text, the newest first."""
        return [_line(drop) for drop in reversed(self.drops)]


def _line(drop: ListedDrop) -> str:
    current = " (current)" if drop.is_current else ""
    rows = "" if drop.rows is None else f"{counted(drop.rows, 'row')}, total cost {drop.total_cost}, "
    return f"{drop.drop_id}{current}: {_state(drop)}, {rows}{counted(drop.files, 'file')} of {drop.bytes:,} bytes"


_COLUMNS = ("drop", "", "files are", "rows", "cost", "files", "bytes")


def _state(drop: ListedDrop) -> str:
    if drop.is_complete is None:
        return "of another program"
    return "complete" if drop.is_complete else "incomplete"


def list_drops(store: BucketStore, month: Month) -> DropList:
    """
    List the drops of a month. Nothing is written.

    :param store: the bucket.
    :param month: the month.
    :raises BucketError: when the bucket can't be read.
    """
    folder = MonthFolder(month)
    current = read_manifest(store, folder).current_drop_id
    listed = store.list(f"{folder.name}/")
    drop_ids = {each.key.split("/")[1] for each in listed if each.key.count("/") > 1}
    drop_ids |= {*folder.described([each.key for each in listed]), *([current] if current else [])}
    drops = (_listed_drop(store, folder, drop_id, current, listed) for drop_id in sorted(drop_ids))
    return DropList(str(month), store.root, current, tuple(drops))


def _listed_drop(
    store: BucketStore, folder: MonthFolder, drop_id: str, current: str | None, listed: list[Listed]
) -> ListedDrop:
    prefix = folder.drop(drop_id)
    sizes = [each.size for each in listed if each.key.startswith(prefix) and each.is_csv]
    description = read_description(store, folder, drop_id)
    return ListedDrop(
        drop_id=drop_id,
        is_current=drop_id == current,
        is_complete=_is_complete(folder, drop_id, description, listed),
        rows=description.rows if description else None,
        total_cost=description.totals[COST] if description else None,
        files=len(sizes),
        bytes=sum(sizes),
    )


def _is_complete(
    folder: MonthFolder, drop_id: str, description: DropDescription | None, listed: list[Listed]
) -> bool | None:
    if description is None:
        # Of this package's drops, the description is written first and removed last.
        return None if started_at(drop_id) is None else False
    is_removed = any(each.key.startswith(folder.removal(drop_id)) for each in listed)
    return description.is_complete(folder.drop(drop_id), listed) and not is_removed
