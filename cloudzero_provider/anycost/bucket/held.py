"""What a drop of a month holds: as its description says, or as counted in its files."""

from __future__ import annotations

import logging
import os
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloudzero_provider.anycost.bucket.description import DropDescription
from cloudzero_provider.anycost.bucket.layout import started_at
from cloudzero_provider.anycost.bucket.manifest import changed_meanwhile, read_manifest
from cloudzero_provider.anycost.columns import COST
from cloudzero_provider.exceptions import BucketError, InputError
from cloudzero_provider.sources.batches import read_batches
from cloudzero_provider.values.conversion import as_text, decimal_text, plain_decimals
from cloudzero_provider.values.decimal_strings import sum_of
from cloudzero_provider.values.exact_sums import exact_sum

if TYPE_CHECKING:
    from cloudzero_provider.anycost.bucket.layout import MonthFolder
    from cloudzero_provider.anycost.bucket.store import BucketStore, Listed
    from cloudzero_provider.sources import Rows

log = logging.getLogger(__name__)

_NO_COST = "0"
_UNKNOWN = "what the month holds is not known, and nothing was written"
_WITHOUT_GUARDS = (
    "To replace the month without comparing, turn off the guards: min_rows_ratio=0, and neither max_rows_ratio nor "
    "max_cost_change."
)


@dataclass(frozen=True)
class HeldDrop:
    """
    What a drop holds.

    :param drop_id: the drop.
    :param rows: number of rows.
    :param total_cost: exact sum of ``cost/cost``, as a decimal string.
    """

    drop_id: str
    rows: int
    total_cost: str

    @classmethod
    def described(cls, description: DropDescription) -> HeldDrop:
        """
        Return what a description says.

        :param description: of the drop.
        """
        return cls(description.drop_id, description.rows, description.totals[COST])


def read_description(store: BucketStore, folder: MonthFolder, drop_id: str) -> DropDescription | None:
    """
    Read what this package knows of a drop; ``None`` for one that it did not write.

    :param store: the bucket.
    :param folder: of the month.
    :param drop_id: the drop.
    """
    stored = store.read(folder.description(drop_id))
    return DropDescription.parse(drop_id, stored.content) if stored else None


def count_current(store: BucketStore, folder: MonthFolder, drop_id: str) -> HeldDrop:
    """
    Count the rows of the current drop, which another program wrote, for the guards.

    :param store: the bucket.
    :param folder: of the month.
    :param drop_id: the drop.
    :raises ManifestChangedError: when it is gone because another writer has replaced it.
    :raises BucketError: when it can't be read. The message says how to turn off the guards.
    """
    log.info("%s: another program wrote the current drop %s; its rows are counted", folder.month, drop_id)
    files = _csv_files(store, folder, drop_id)
    if not files and started_at(drop_id):
        # Another run may have replaced the drop, and removed it, since this one read the manifest.
        if (found := read_manifest(store, folder)).current_drop_id != drop_id:
            raise changed_meanwhile(store, folder, drop_id, found)
        # Even of an empty drop, this package leaves a description.
        raise BucketError(
            f"{store.root}/{folder.drop(drop_id)} is gone, and so is the description of this drop, which the manifest "
            f"names: {_UNKNOWN}. {_WITHOUT_GUARDS} Does another program remove files?"
        )
    return _count(store, drop_id, files, _UNKNOWN, f" {_WITHOUT_GUARDS}")


def count_drop(store: BucketStore, folder: MonthFolder, drop_id: str) -> HeldDrop:
    """
    Count the rows of a drop that another program wrote, before the month is rolled back to it.

    :param store: the bucket.
    :param folder: of the month.
    :param drop_id: the drop.
    :raises BucketError: when it can't be read.
    """
    return _count(store, drop_id, _csv_files(store, folder, drop_id), "the manifest was not changed")


def _csv_files(store: BucketStore, folder: MonthFolder, drop_id: str) -> list[Listed]:
    return [listed for listed in store.list(folder.drop(drop_id)) if listed.is_csv]


def _count(store: BucketStore, drop_id: str, files: list[Listed], consequence: str, advice: str = "") -> HeldDrop:
    """Read files. An error says what follows from it, and what to do."""
    rows, total = 0, _NO_COST
    for listed in files:
        with tempfile.TemporaryDirectory(prefix="cloudzero-") as local:
            path = os.path.join(local, os.path.basename(listed.key))
            store.download(listed.key, path)
            try:
                for batch in read_batches(path):
                    rows, total = rows + batch.count, sum_of(total, _cost_of(batch))
            except InputError as error:
                reason = str(error).replace(path, listed.key)
                raise BucketError(
                    f"{store.root}/{listed.key} can't be read, so {consequence} ({reason}).{advice}"
                ) from None
    return HeldDrop(drop_id, rows, total)


def _cost_of(rows: Rows) -> str:
    costs = rows.columns.get(COST)
    if costs is None:
        if rows.count:
            raise InputError(f"there is no column {COST}")
        return _NO_COST
    decimals = plain_decimals(as_text(costs, decimal_text))
    if decimals.bad:
        index, rule = next(iter(decimals.bad.items()))
        raise InputError(f"{rows.where(index)}, column {COST!r}: {rule}")
    return exact_sum(decimals.strings)
