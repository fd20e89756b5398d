"""Reading a drop: all of its files, a piece at a time, and then the month holds it or what it held before."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.anycost.cbf import COST
from cloudzero_provider.sandbox.anycost.rows import RowReader
from cloudzero_provider.sandbox.anycost.store import add_blocks
from cloudzero_provider.sandbox.buckets.csv_files import FileRefusedError, name_problem, read_numbered_rows
from cloudzero_provider.sandbox.buckets.store import Ingestion, forget_drop, note, open_staged, switch
from cloudzero_provider.sandbox.common.exact_sums import Totals
from cloudzero_provider.sandbox.common.problems import Problems, shortened

if TYPE_CHECKING:
    import threading

    from cloudzero_provider.sandbox.buckets.storage import Storage
    from cloudzero_provider.sandbox.common.database import Database
    from cloudzero_provider.sandbox.common.months import Month
    from cloudzero_provider.sandbox.settings.all_settings import Settings

# Rows in memory at a time.
_PIECE_ROWS = 100_000


class StoppedError(Exception):
    """The sandbox ends or is reset while it reads a drop."""


class _DropRefusedError(ValueError):
    """A drop breaks a rule; the message gives the reason."""


@dataclass(frozen=True)
class NamedDrop:
    """The drop that a manifest names."""

    connection: str
    folder: str
    month: Month
    drop_id: str


class _LineProblems(Problems):
    """Names the line of a file rather than the index of a row."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def add_for_row(self, index: int, column: str, rule: str) -> None:
        self.add(f"{self._name}, line {index}, {shortened(column)}: {rule}")


def ingest(database: Database, storage: Storage, drop: NamedDrop, settings: Settings, stop: threading.Event) -> None:
    """
    Read a drop, and let it replace the month; a drop that breaks a rule is refused, and the month stays as it was.

    :param database: where the rows go, a piece at a time, so that a month of any size can be read.
    :param storage: where the files are. They are listed once.
    :param drop: what to read.
    :param settings: decide about rows.
    :param stop: whether to give up.
    :raises StorageError: if a file could not be read. Nothing has changed then, and the drop does not count as read.
    :raises StoppedError: if it was stopped, likewise.
    """
    staged = database.write_now(lambda db: open_staged(db, drop.connection, drop.month, time.time()))
    try:
        found = _DropReader(database, storage, drop, settings, stop, staged).read()
        database.write_now(lambda db: switch(db, drop.connection, drop.month, staged, found))
    except BaseException as error:
        database.write_now(lambda db: forget_drop(db, staged))
        if not isinstance(error, _DropRefusedError):
            raise
        refused = Ingestion(drop.folder, drop.drop_id, time.time(), error=str(error))
        database.write_now(lambda db: note(db, drop.connection, refused))


class _DropReader:
    """Reads the files of one drop into a drop that nothing shows yet."""

    def __init__(
        self,
        database: Database,
        storage: Storage,
        drop: NamedDrop,
        settings: Settings,
        stop: threading.Event,
        staged: int,
    ) -> None:
        self._database = database
        self._storage = storage
        self._drop = drop
        self._settings = settings
        self._stop = stop
        self._staged = staged
        self._rows = 0
        self._totals = Totals()

    def read(self) -> Ingestion:
        names = self._storage.files(self._drop.folder, self._drop.drop_id)
        problems = Problems()
        for name in names:
            if problem := name_problem(name):
                problems.add(f"{shortened(name)} {problem}")
        if problems.count:
            raise _DropRefusedError(problems.as_text())
        for name in names:
            self._read_file(name)
        total = self._totals.as_texts().get(COST, "0")
        return Ingestion(self._drop.folder, self._drop.drop_id, time.time(), len(names), self._rows, total)

    def _read_file(self, name: str) -> None:
        with closing(self._storage.open(self._drop.folder, self._drop.drop_id, name)) as file:
            rows = read_numbered_rows(file, self._settings)
            try:
                while piece := list(islice(rows, _PIECE_ROWS)):
                    self._keep(name, piece)
            except FileRefusedError as error:
                raise _DropRefusedError(f"{shortened(name)} {error}") from None

    def _keep(self, name: str, piece: list[tuple[int, dict[str, str]]]) -> None:
        if self._stop.is_set():
            raise StoppedError
        problems = _LineProblems(shortened(name))
        reader = RowReader(self._settings, self._drop.month, problems)
        reader.read_numbered(piece)
        if problems.count:
            raise _DropRefusedError(problems.as_text())
        blocks = reader.blocks()
        for block in blocks:
            self._rows += block.row_count
            for column, text in block.totals.items():
                self._totals.add(column, Decimal(text))
        self._database.write_now(lambda db: add_blocks(db, self._staged, blocks, time.time()))
