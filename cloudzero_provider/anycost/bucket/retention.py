"""Remove earlier drops, but none that another task is about to make the current one."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from cloudzero_provider.anycost.bucket.held import read_description
from cloudzero_provider.anycost.bucket.layout import REMOVAL, started_at
from cloudzero_provider.values.counted import counted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from cloudzero_provider.anycost.bucket.description import DropDescription
    from cloudzero_provider.anycost.bucket.layout import MonthFolder
    from cloudzero_provider.anycost.bucket.store import BucketStore, Listed

log = logging.getLogger(__name__)

#: A drop that was begun, or rolled back to, more recently may belong to a task that is still running.
_STILL_RUNNING = timedelta(days=1)


def remove_earlier_drops(
    store: BucketStore, folder: MonthFolder, current: str, previous: str | None, keep: int
) -> tuple[str, ...]:
    """
    Remove the drops that are older than the current one, except the one it replaced and the newest of the others.

    Only files that this package wrote are removed, and only drops that were current before: any other may belong to a
    task that is about to make it the current one, so it is removed once it is a day older than the current one. An
    incomplete drop, which a task left behind when it died, does not count as one that is kept.

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
    read = [read_description(store, folder, drop_id) for drop_id in earlier]
    described = {each.drop_id: each for each in read if each is not None}
    were_current = {*_were_current(described, previous)} - {previous}
    outdated = [
        each
        for each in _outdated(folder, described, listed, keep)
        if each.drop_id in were_current or _is_a_day_older(started_at(each.drop_id), current)
    ]
    removed = tuple(each.drop_id for each in outdated if _remove(store, folder, each, listed, current))
    _remove_old_marks(store, listed)
    if removed:
        log.info("%s: removed %s: %s", folder.month, counted(len(removed), "earlier drop"), ", ".join(removed))
    return removed


def _were_current(described: dict[str, DropDescription], previous: str | None) -> Iterator[str]:
    """Go from the drop that was current before to those that were current before it, as far as that is known."""
    left, found = dict(described), [previous]
    while found:
        drop_id = found.pop()
        description = left.pop(drop_id, None) if drop_id else None
        if description is not None:
            yield description.drop_id
            found += [description.replaces, description.rolled_back_from]


def _outdated(
    folder: MonthFolder, described: dict[str, DropDescription], listed: list[Listed], keep: int
) -> Iterator[DropDescription]:
    kept = 0
    for drop_id, description in described.items():
        if description.is_complete(folder.drop(drop_id), listed) and kept < keep:
            kept += 1
        else:
            yield description


def _is_a_day_older(time: datetime | None, current: str) -> bool:
    now = started_at(current)
    return time is not None and now is not None and now - time > _STILL_RUNNING


def _remove(
    store: BucketStore, folder: MonthFolder, description: DropDescription, listed: list[Listed], current: str
) -> bool:
    """
    Remove a drop, unless a rollback to it is under way.

    This task and the rollback each leave a mark before they look for the other's, so at least one of them finds it.
    """
    drop_id = description.drop_id
    mark = folder.removal(drop_id, current)
    store.write(mark, b"")
    latest = read_description(store, folder, drop_id)
    time = latest.rolled_back if latest else None
    is_free = time is None or _is_a_day_older(time, current)
    if is_free:
        # The description is the last, so that the next run finishes what this one began.
        for file in description.files:
            store.delete(f"{folder.drop(drop_id)}{file.name}")
        store.delete(folder.description(drop_id))
        for each in listed:
            if each.key.startswith(folder.removal(drop_id)):
                store.delete(each.key)
    store.delete(mark)
    return is_free


def _remove_old_marks(store: BucketStore, listed: list[Listed]) -> None:
    """Remove the marks of drops that are gone, which tasks left behind when they died."""
    keys = {each.key for each in listed}
    for key in keys:
        described, mark, _ = key.partition(REMOVAL)
        if mark and f"{described}.json" not in keys:
            store.delete(key)
