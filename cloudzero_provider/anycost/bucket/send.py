"""Write a month to a bucket: check and stage its rows, compare, upload, read back, switch the manifest, clean up."""

from __future__ import annotations

import logging
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloudzero_provider.anycost.bucket.claim import BucketWrite
from cloudzero_provider.anycost.bucket.drop_files import write_drop_files
from cloudzero_provider.anycost.bucket.guards import check_against_held, check_held_cost
from cloudzero_provider.anycost.bucket.held import HeldDrop, count_current, read_description
from cloudzero_provider.anycost.bucket.layout import MonthFolder, new_drop_id
from cloudzero_provider.anycost.bucket.manifest import read_manifest, switch_manifest
from cloudzero_provider.anycost.bucket.retention import remove_earlier_drops
from cloudzero_provider.anycost.bucket.store import Digest
from cloudzero_provider.anycost.bucket.summary import BucketDropSummary
from cloudzero_provider.anycost.guards.days import check_days
from cloudzero_provider.claims import claimed
from cloudzero_provider.exceptions import CloudZeroError, DropIncompleteError
from cloudzero_provider.values.counted import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudzero_provider.anycost.bucket.description import DropDescription
    from cloudzero_provider.anycost.bucket.drop_files import DropFiles
    from cloudzero_provider.anycost.bucket.manifest import Manifest
    from cloudzero_provider.anycost.bucket.options import DropOptions
    from cloudzero_provider.anycost.bucket.store import BucketStore
    from cloudzero_provider.anycost.checks import CheckedRows
    from cloudzero_provider.months import Month

log = logging.getLogger(__name__)


def send_drop(
    store: BucketStore, month: Month, batches: Iterable[CheckedRows], options: DropOptions
) -> BucketDropSummary | None:
    """
    Write a month so that CloudZero takes exactly these rows, or keeps those of the current drop.

    :param store: the bucket.
    :param month: the month.
    :param batches: its rows, iterated once.
    :param options: how it is written.
    :return: ``None`` when there is no row. Nothing was written then.
    :raises InputError: when the rows are not valid, or a guard refuses.
    :raises BucketError: when the bucket can't be used.
    """
    target = _Target.read(store, month)
    with tempfile.TemporaryDirectory(prefix="cloudzero-") as local:
        files = write_drop_files(batches, local, rows_per_file=options.rows_per_file)
        return _send(target, files, options) if files.rows else None


def clear_month(store: BucketStore, month: Month, options: DropOptions) -> BucketDropSummary:
    """
    Write a drop without files, which empties the month.

    :param store: the bucket.
    :param month: the month.
    :param options: how it is written; guards on the number of rows don't apply.
    :raises InputError: when another guard refuses.
    :raises BucketError: when the bucket can't be used.
    """
    target = _Target.read(store, month)
    log.info("%s: no rows were given; the month is emptied (on_empty='clear')", month)
    return _send(target, write_drop_files((), ""), options, is_cleared=True)


@dataclass(frozen=True)
class _Target:
    """
    A month of a bucket.

    :param manifest: as it was before anything was written.
    """

    store: BucketStore
    folder: MonthFolder
    manifest: Manifest

    @classmethod
    def read(cls, store: BucketStore, month: Month) -> _Target:
        folder = MonthFolder(month)
        return cls(store, folder, read_manifest(store, folder))

    @property
    def month(self) -> Month:
        return self.folder.month

    def current(self) -> DropDescription | None:
        """What this package knows of the current drop; ``None`` if there is none that it wrote."""
        drop_id = self.manifest.current_drop_id
        return None if drop_id is None else read_description(self.store, self.folder, drop_id)

    def is_complete(self, description: DropDescription) -> bool:
        folder = self.folder.drop(description.drop_id)
        return description.is_complete(folder, self.store.list(folder))


def _send(target: _Target, files: DropFiles, options: DropOptions, *, is_cleared: bool = False) -> BucketDropSummary:
    _log_files(target, files)
    if options.required_days:
        check_days(target.month, files.hours)
    current = target.current()
    held = None if current is None else HeldDrop.described(current)
    if (options.is_retry or options.skip_unchanged) and not options.check_only and _is_equal(target, current, files):
        log.info("%s: the current drop holds these rows already; nothing is written", target.month)
        return _summary(target, files, held, drop_id=target.manifest.current_drop_id, unchanged=True)
    if held is None and target.manifest.current_drop_id and options.compares(is_cleared=is_cleared):
        held = count_current(target.store, target.folder, target.manifest.current_drop_id)
    if held is not None:
        check = check_held_cost if is_cleared else check_against_held
        check(target.month, files, held, options)
    if options.check_only:
        log.info(
            "%s: would replace %s with %s; nothing is written (check_only)",
            target.month,
            _known(target, held),
            f"{files.rows:,}",
        )
        return _summary(target, files, held, check_only=True)
    log.info("%s: replaces %s with %s", target.month, _known(target, held), f"{files.rows:,}")
    with claimed(options.claims, lambda: BucketWrite(target.store.root, str(target.month), files.rows)):
        drop_id = _write_and_switch(target, files)
    removed = _cleaned_up(target, drop_id, options.keep_drops)
    return _summary(target, files, held, drop_id=drop_id, removed=removed)


def _log_files(target: _Target, files: DropFiles) -> None:
    log.info(
        "%s: %s of %s, total cost %s, in %s of %s bytes in all, for %s",
        target.month,
        counted(files.rows, "row"),
        counted(len(files.hours), "hour"),
        files.total_cost,
        counted(len(files.files), "file"),
        f"{files.size:,}",
        target.store.root,
    )


def _is_equal(target: _Target, current: DropDescription | None, files: DropFiles) -> bool:
    return current is not None and current.sha256 == files.sha256 and target.is_complete(current)


def _known(target: _Target, held: HeldDrop | None) -> str:
    if held is not None:
        return counted(held.rows, "row")
    return "an unknown number of rows" if target.manifest.current_drop_id else "0 rows"


def _write_and_switch(target: _Target, files: DropFiles) -> str:
    drop_id = new_drop_id()
    try:
        _write(target, files, drop_id)
    except CloudZeroError as error:
        error.nothing_written = True
        log.warning("%s: the manifest was not changed, so the month is as it was before", target.month)
        raise
    switch_manifest(target.store, target.folder, target.manifest, drop_id)
    log.info("%s: the manifest now names drop %s", target.month, drop_id)
    return drop_id


def _write(target: _Target, files: DropFiles, drop_id: str) -> None:
    """
    Write all files of a drop, and read each back.

    The description comes first: by it, a later run recognizes the files of a task that died.
    """
    store, folder = target.store, target.folder
    description = files.described(drop_id, target.manifest.current_drop_id)
    store.write(folder.description(drop_id), description.as_json())
    rows = 0
    for number, file in enumerate(files.files, start=1):
        key = f"{folder.drop(drop_id)}{file.name}"
        store.upload(files.path(file), key)
        found = store.digest(key)
        if found != Digest(file.size, file.sha256):
            read = "nothing" if found is None else f"other content ({found.size:,} bytes)"
            raise DropIncompleteError(
                f"{store.root}/{key}: {file.size:,} bytes were written, but {read} was read back, so the manifest was "
                f"not changed: {target.month} is as it was before. Run the task again."
            )
        rows += file.rows
        log.info(
            "%s: wrote file %s of %s: %s, %s bytes; %s of %s rows so far",
            target.month,
            number,
            len(files.files),
            counted(file.rows, "row"),
            f"{file.size:,}",
            f"{rows:,}",
            f"{files.rows:,}",
        )
    if not target.is_complete(description):
        raise DropIncompleteError(
            f"{store.root}/{folder.drop(drop_id)}: files of the drop have disappeared while it was written, so the "
            f"manifest was not changed: {target.month} is as it was before. Run the task again."
        )


def _cleaned_up(target: _Target, drop_id: str, keep: int) -> tuple[str, ...]:
    try:
        return remove_earlier_drops(target.store, target.folder, drop_id, target.manifest.current_drop_id, keep)
    except Exception as error:
        # The month is complete; the next run removes what is left.
        log.warning(
            "%s: earlier drops could not be removed: %s: %s", target.month, type(error).__name__, str(error)[:300]
        )
        return ()


def _summary(
    target: _Target,
    files: DropFiles,
    held: HeldDrop | None,
    *,
    drop_id: str | None = None,
    removed: tuple[str, ...] = (),
    check_only: bool = False,
    unchanged: bool = False,
) -> BucketDropSummary:
    is_new = target.manifest.current_drop_id is None
    return BucketDropSummary(
        month=str(target.month),
        bucket_path=target.store.root,
        drop_id=drop_id,
        previous_drop_id=target.manifest.current_drop_id,
        rows=files.rows,
        replaced_rows=0 if is_new else held.rows if held else None,
        files=0 if unchanged else len(files.files),
        bytes=0 if unchanged else files.size,
        total_cost=files.total_cost,
        replaced_cost=held.total_cost if held else None,
        hours=len(files.hours),
        sha256=files.sha256,
        removed_drops=removed,
        check_only=check_only,
        unchanged=unchanged,
    )
