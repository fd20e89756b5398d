"""The manifest of a month, which names its current drop: CloudZero takes a drop when the manifest changes to it."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cloudzero_provider.anycost.bucket.layout import is_plain_name
from cloudzero_provider.anycost.bucket.store import VersionChangedError
from cloudzero_provider.anycost.columns import BUCKET_PAGE
from cloudzero_provider.exceptions import ManifestChangedError, ManifestError

if TYPE_CHECKING:
    from cloudzero_provider.anycost.bucket.layout import MonthFolder
    from cloudzero_provider.anycost.bucket.store import BucketStore

log = logging.getLogger(__name__)

#: Of the manifest's format (https://docs.cloudzero.com/docs/anycost-cbf-drop-specs).
_VERSION = "1.3.0"
_VERSION_KEY, _CURRENT_KEY = "version", "current_drop_id"
_LONGEST_SHOWN = 80


@dataclass(frozen=True)
class Manifest:
    """
    A manifest as it was read.

    :param current_drop_id: the drop that CloudZero takes; ``None`` when there is no manifest yet.
    :param fields: all of its fields, which are kept.
    :param version: of the stored object; ``None`` when there is none.
    """

    current_drop_id: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    version: str | None = None

    def naming(self, drop_id: str) -> bytes:
        """
        Encode the manifest with another current drop.

        :param drop_id: the drop.
        """
        changed = {_VERSION_KEY: _VERSION, **self.fields, _CURRENT_KEY: drop_id}
        return json.dumps(changed, ensure_ascii=False).encode()


def read_manifest(store: BucketStore, folder: MonthFolder) -> Manifest:
    """
    Read the manifest of a month.

    :param store: the bucket.
    :param folder: of the month.
    :raises ManifestError: when the object is not a manifest of an AnyCost Bucket.
    """
    stored = store.read(folder.manifest)
    if stored is None:
        return Manifest()
    try:
        fields = json.loads(stored.content)
    except ValueError:
        fields = None
    if not isinstance(fields, dict) or not is_plain_name(fields.get(_CURRENT_KEY)):
        shown = stored.content[:_LONGEST_SHOWN].decode("utf-8", "replace")
        shown += "…" if len(stored.content) > _LONGEST_SHOWN else ""
        raise ManifestError(
            f"{store.root}/{folder.manifest} is not the manifest of an AnyCost Bucket, so nothing was written, and "
            f"it is not replaced: expected a JSON object with {_CURRENT_KEY}, the name of a folder, but it holds "
            f"{shown!r}. Is {store.root} the folder of this AnyCost connection? If the file is broken, delete it. "
            f"The format: {BUCKET_PAGE}"
        )
    return Manifest(fields[_CURRENT_KEY], fields, stored.version)


def switch_manifest(store: BucketStore, folder: MonthFolder, before: Manifest, drop_id: str) -> None:
    """
    Make a drop the current one.

    :param store: the bucket.
    :param folder: of the month.
    :param before: the manifest as it was read before the drop was written.
    :param drop_id: the drop, which is complete.
    :raises ManifestChangedError: when another writer has changed the manifest since; nothing was replaced then.
    """
    try:
        store.replace(folder.manifest, before.naming(drop_id), before.version)
    except Exception as error:
        # The reply may be lost although the manifest was written, and the store then refuses its own repetition.
        found = _read_again(store, folder, error)
        if found.current_drop_id == drop_id:
            reason = type(error.__cause__ or error).__name__
            log.warning("%s: the manifest was written, although its reply was %s", folder.month, reason)
            return
        if not isinstance(error, VersionChangedError):
            raise
        raise changed_meanwhile(store, folder, before.current_drop_id, found) from None


def changed_meanwhile(
    store: BucketStore, folder: MonthFolder, before: str | None, found: Manifest
) -> ManifestChangedError:
    """
    Return the error that another writer has changed the manifest since this task read it.

    :param store: the bucket.
    :param folder: of the month.
    :param before: the drop that was current then.
    :param found: the manifest as it is now.
    """
    gone = found.current_drop_id is None
    what = "another program deleted it" if gone else f"another writer made {found.current_drop_id} the current drop"
    changed = ManifestChangedError(
        f"{store.root}/{folder.manifest}: {what} while this one was written ({before or 'no drop'} was current "
        "before), so it was not replaced. Run the task again to replace it. Several tasks that write one month need a "
        "pool with one slot."
    )
    changed.nothing_written = True
    return changed


def _read_again(store: BucketStore, folder: MonthFolder, error: Exception) -> Manifest:
    try:
        return read_manifest(store, folder)
    except Exception:
        # In an outage, what failed first says more.
        raise error from None
