"""Remove earlier drops."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from cloudzero_provider.anycost.bucket.held import read_description
from cloudzero_provider.anycost.bucket.layout import started_at
from cloudzero_provider.values.counted import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudzero_provider.anycost.bucket.description import DropDescription
    from cloudzero_provider.anycost.bucket.layout import MonthFolder
    from cloudzero_provider.anycost.bucket.store import BucketStore, Listed

log = logging.getLogger(__name__)

#: An incomplete drop that is younger may belong to a task that is still running.
_STILL_RUNNING = timedelta(days=1)


def remove_earlier_drops(
    store: BucketStore, folder: MonthFolder, current: str, previous: str | None, keep: int
) -> tuple[str, ...]:
    """
    Remove the drops that are older than the current one, except the one it replaced and the newest of the others.

    Removed are only files that this package wrote. An incomplete drop, which a task left behind when it died, counts
    for nothing and is removed once it is a day older than the current one.

    :param store: the bucket.
    :param folder: of the month.
    :param current: the current drop.
    :param previous: the drop that was current before, if there was one.
    :param keep: how many complete ones are kept.
    :return: ids of those that were removed.
    """
    listed = store.list(f"{folder.name}/")
    earlier = [drop_id for drop_id in folder.described([each.key for each in listed]) if drop_id < current]
    # After a rollback, the drop that was replaced need not be the newest.
    earlier.sort(key=lambda drop_id: (drop_id == previous, drop_id), reverse=True)
    removed = []
    for description in _outdated(store, folder, listed, earlier, current, keep):
        _remove(store, folder, description)
        removed.append(description.drop_id)
    if removed:
        log.info("%s: removed %s: %s", folder.month, counted(len(removed), "earlier drop"), ", ".join(removed))
    return tuple(removed)


def _outdated(
    store: BucketStore, folder: MonthFolder, listed: list[Listed], earlier: list[str], current: str, keep: int
) -> Iterator[DropDescription]:
    kept = 0
    for drop_id in earlier:
        description = read_description(store, folder, drop_id)
        if description is None:
            continue
        if not description.is_complete(folder.drop(drop_id), listed):
            if _is_a_day_older(drop_id, current):
                yield description
        elif kept < keep:
            kept += 1
        else:
            yield description


def _is_a_day_older(drop_id: str, current: str) -> bool:
    begun, now = started_at(drop_id), started_at(current)
    return begun is not None and now is not None and now - begun > _STILL_RUNNING


def _remove(store: BucketStore, folder: MonthFolder, description: DropDescription) -> None:
    """Remove a drop. Its description is the last, so that the next run finishes what this one began."""
    for file in description.files:
        store.delete(f"{folder.drop(description.drop_id)}{file.name}")
    store.delete(folder.description(description.drop_id))
