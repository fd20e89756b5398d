"""Go back to an earlier drop of a month."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from cloudzero_provider.anycost.bucket.description import DropDescription
from cloudzero_provider.anycost.bucket.drops import list_drops
from cloudzero_provider.anycost.bucket.held import HeldDrop, count_drop
from cloudzero_provider.anycost.bucket.layout import MonthFolder, is_plain_name
from cloudzero_provider.anycost.bucket.manifest import read_manifest, switch_manifest
from cloudzero_provider.anycost.bucket.store import VersionChangedError
from cloudzero_provider.anycost.bucket.summary import RollbackSummary
from cloudzero_provider.exceptions import ConfigurationError, DropIncompleteError, DropNotFoundError

if TYPE_CHECKING:
    from cloudzero_provider.anycost.bucket.drops import DropList, ListedDrop
    from cloudzero_provider.anycost.bucket.manifest import Manifest
    from cloudzero_provider.anycost.bucket.store import BucketStore
    from cloudzero_provider.months import Month

log = logging.getLogger(__name__)


def roll_back(store: BucketStore, month: Month, drop_id: str) -> RollbackSummary:
    """
    Make an earlier drop of a month the current one again.

    :param store: the bucket.
    :param month: the month.
    :param drop_id: the drop. Going back to it twice is the same as going back once.
    :raises DropNotFoundError: when there is no such drop.
    :raises DropIncompleteError: when files of it are missing.
    :raises BucketError: when the bucket can't be used.
    """
    if not is_plain_name(drop_id):
        raise ConfigurationError(f"drop_id is {drop_id!r}: expected the name of one folder, like 20260519T154516Z.")
    folder = MonthFolder(month)
    manifest = read_manifest(store, folder)
    drops = list_drops(store, month)
    drop = _named(drops, drop_id)
    is_current = manifest.current_drop_id == drop.drop_id
    if drop.is_complete and not is_current:
        # A task that is removing earlier drops looks for this mark, and this function for that task's.
        _mark(store, folder, drop_id, manifest.current_drop_id)
        drops = list_drops(store, month)
        drop = _named(drops, drop_id)
    if drop.is_complete is False:
        raise DropIncompleteError(
            f"{_incomplete(store, folder, drop)}, so the manifest was not changed. The complete drops of {month}: "
            f"{_complete(drops)}."
        )
    if drop.is_complete is None:
        log.warning("%s: another program wrote drop %s, so whether it is complete is not known", month, drop.drop_id)
    held = _held(store, folder, drop)
    if not is_current:
        switch_manifest(store, folder, manifest, drop.drop_id)
        log.info("%s: the manifest now names drop %s; before, %s", month, drop.drop_id, manifest.current_drop_id)
    return _summary(drops, manifest, held, unchanged=is_current)


def _incomplete(store: BucketStore, folder: MonthFolder, drop: ListedDrop) -> str:
    if drop.rows is None:
        description = f"{store.root}/{folder.description(drop.drop_id)}"
        return f"{description}, which says what the drop consists of, is missing or damaged"
    return (
        f"{store.root}/{folder.drop(drop.drop_id)} lacks files, or has others, or they have other sizes than when they "
        "were written, or another task is removing it"
    )


def _named(drops: DropList, drop_id: str) -> ListedDrop:
    for drop in drops.drops:
        if drop.drop_id == drop_id:
            return drop
    raise DropNotFoundError(
        f"{drops.bucket_path} has no drop {drop_id!r} of {drops.month}, so the manifest was not changed. The complete "
        f"drops: {_complete(drops)}."
    )


def _mark(store: BucketStore, folder: MonthFolder, drop_id: str, current: str | None) -> None:
    """Write into the description of a drop that the month is being rolled back to it, if it still has one."""
    key, is_written = folder.description(drop_id), False
    while not is_written and (stored := store.read(key)) and (found := DropDescription.parse(drop_id, stored.content)):
        now = datetime.now(timezone.utc).isoformat()
        marked = replace(found, rolled_back_at=now, rolled_back_from=current)
        with suppress(VersionChangedError):
            store.replace(key, marked.as_json(), stored.version)
            is_written = True


def _complete(drops: DropList) -> str:
    return ", ".join(drop.drop_id for drop in drops.drops if drop.is_complete) or "none"


def _held(store: BucketStore, folder: MonthFolder, drop: ListedDrop) -> HeldDrop:
    if drop.rows is None or drop.total_cost is None:
        return count_drop(store, folder, drop.drop_id)
    return HeldDrop(drop.drop_id, drop.rows, drop.total_cost)


def _summary(drops: DropList, manifest: Manifest, held: HeldDrop, *, unchanged: bool) -> RollbackSummary:
    return RollbackSummary(
        month=drops.month,
        bucket_path=drops.bucket_path,
        drop_id=held.drop_id,
        previous_drop_id=manifest.current_drop_id,
        rows=held.rows,
        total_cost=held.total_cost,
        unchanged=unchanged,
    )
