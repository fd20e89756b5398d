"""Polling the manifests of bucket connections, and ingesting the drops that they name."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.anycost.connections import find
from cloudzero_provider.sandbox.buckets.ingest import NamedDrop, StoppedError, ingest
from cloudzero_provider.sandbox.buckets.manifest import ManifestError, parse_billing_data_id, parse_manifest
from cloudzero_provider.sandbox.buckets.storage import StorageError, open_storage
from cloudzero_provider.sandbox.buckets.store import Ingestion, errors, last_drop_id, note, save_errors

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

    from cloudzero_provider.sandbox.buckets.roots import BucketRoot
    from cloudzero_provider.sandbox.buckets.storage import Storage
    from cloudzero_provider.sandbox.common.database import Database
    from cloudzero_provider.sandbox.settings.all_settings import Settings

#: Stands for the root where errors are listed by folder.
ROOT = ""


class BucketPoller:
    """Polls in a thread of its own, one poll after the other."""

    def __init__(self, database: Database, roots: Sequence[BucketRoot]) -> None:
        self.roots = tuple(roots)
        self._database = database
        self._storages = {root.name: open_storage(root) for root in roots}
        self._thread = ThreadPoolExecutor(1, "sandbox-buckets")
        self._stop = threading.Event()

    @property
    def names(self) -> frozenset[str]:
        """The connections that are polled."""
        return frozenset(root.name for root in self.roots)

    def poll(self, settings: Settings) -> Future[None]:
        """Poll every connection once."""
        return self._thread.submit(self._poll, settings)

    def stop_and_do(self, work: Callable[[sqlite3.Connection], None]) -> Future[None]:
        """Give up the polls that run and wait, and do the work as one transaction before the next one."""
        self._stop.set()

        def do() -> None:
            self._stop.clear()
            self._database.write_now(work)

        return self._thread.submit(do)

    def close(self) -> None:
        """Give up the polls that run and wait."""
        self._stop.set()
        self._thread.shutdown(wait=True)

    def _poll(self, settings: Settings) -> None:
        for root in self.roots:
            if not self._is_enabled(root.name):
                continue
            try:
                _Poll(self._database, root.name, self._storages[root.name], settings, self._stop).run()
            except StoppedError:
                return

    def _is_enabled(self, name: str) -> bool:
        """Whether the connection still exists, and is not turned off; both can be changed over CloudZero's API."""
        connection = self._database.read_now(lambda database: find(database, name))
        return connection is not None and connection.is_enabled


class _Poll:
    """One poll of one connection."""

    def __init__(
        self, database: Database, connection: str, storage: Storage, settings: Settings, stop: threading.Event
    ) -> None:
        self._database = database
        self._connection = connection
        self._storage = storage
        self._settings = settings
        self._stop = stop
        self._known = database.read_now(lambda db: errors(db, connection))
        self._errors: dict[str, str] = {}

    def run(self) -> None:
        try:
            folders = self._storage.folders()
        except StorageError as error:
            # Errors of folders stay, since these were not looked at.
            self._errors = {**self._known, ROOT: str(error)}
            folders = []
        for folder in folders:
            if self._stop.is_set():
                raise StoppedError
            try:
                self._poll_folder(folder)
            except StorageError as error:
                self._errors[folder] = str(error)
            except ManifestError as error:
                self._refuse_manifest(folder, str(error))
        if self._errors != self._known:
            self._database.write_now(lambda database: save_errors(database, self._connection, self._errors))

    def _poll_folder(self, folder: str) -> None:
        text = self._storage.manifest(folder)
        if text is None:
            return
        month = parse_billing_data_id(folder)
        drop_id = parse_manifest(text)
        known = self._database.read_now(lambda database: last_drop_id(database, self._connection, folder))
        if drop_id != known:
            drop = NamedDrop(self._connection, folder, month, drop_id)
            ingest(self._database, self._storage, drop, self._settings, self._stop)

    def _refuse_manifest(self, folder: str, error: str) -> None:
        self._errors[folder] = error
        if self._known.get(folder) != error:
            refused = Ingestion(folder, None, time.time(), error=error)
            current = {**self._known, **self._errors}

            def write(database: sqlite3.Connection) -> None:
                note(database, self._connection, refused)
                # At once, so that it is not noted again if this poll is stopped.
                save_errors(database, self._connection, current)

            self._database.write_now(write)
