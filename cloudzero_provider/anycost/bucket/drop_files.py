"""Write the rows of a month as the files of a drop, on the local disk, before anything is written to the bucket."""

from __future__ import annotations

import gzip
import hashlib
import os
from dataclasses import dataclass, field
from itertools import chain, groupby
from operator import itemgetter
from typing import IO, TYPE_CHECKING

from cloudzero_provider.anycost.bucket.description import DropDescription, DropFile
from cloudzero_provider.anycost.bucket.layout import part_name
from cloudzero_provider.anycost.columns import COST, USAGE_START
from cloudzero_provider.values.decimal_strings import sum_of
from cloudzero_provider.values.limits import MAX_FILE_ROWS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import polars as pl

    from cloudzero_provider.anycost.checks import CheckedRows

#: Level 6 takes three times as long, and saves a tenth of the size.
_LEVEL = 3
#: Rows that are encoded at a time.
_SLICE = 20_000


@dataclass(frozen=True)
class DropFiles:
    """
    The files of a drop on the local disk.

    :param local: the folder that they are in.
    :param rows: number of rows.
    :param totals: cost column → exact sum, as a decimal string.
    :param hours: the hours that the rows cover, like ``2026-03-16T13:00:00Z``.
    :param sha256: hash of the text of all files, in order.
    :param files: in order.
    """

    local: str
    rows: int
    totals: dict[str, str]
    hours: tuple[str, ...]
    sha256: str
    files: tuple[DropFile, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def total_cost(self) -> str:
        """Exact sum of ``cost/cost``, as a decimal string."""
        return self.totals[COST]

    def described(self, drop_id: str, replaces: str | None = None) -> DropDescription:
        """
        Describe them as a drop.

        :param drop_id: the drop.
        :param replaces: the drop that is current.
        """
        return DropDescription(drop_id, self.rows, self.totals, len(self.hours), self.sha256, self.files, replaces)

    def path(self, file: DropFile) -> str:
        """
        Path of a file.

        :param file: one of ``files``.
        """
        return os.path.join(self.local, file.name)


def write_drop_files(batches: Iterable[CheckedRows], local: str, *, rows_per_file: int = MAX_FILE_ROWS) -> DropFiles:
    """
    Write rows as gzipped CSV files. Equal rows make equal files.

    A new file begins when one is full, or when the columns change.

    :param batches: the rows in their order; iterated once, and never all in memory.
    :param local: an existing folder.
    :param rows_per_file: most rows of a file.
    :raises InputError: whatever iterating the rows raises.
    """
    seen, content = _Seen(), hashlib.sha256()
    parts = groupby(_numbered(seen.passing(batches), rows_per_file), key=itemgetter(0))
    files = tuple(_write_file(local, number, (frame for _, frame in frames), content) for number, frames in parts)
    return DropFiles(local, seen.rows, seen.totals, tuple(sorted(seen.hours)), content.hexdigest(), files)


@dataclass
class _Seen:
    """What is known of the rows that have passed by."""

    rows: int = 0
    totals: dict[str, str] = field(default_factory=lambda: {COST: "0"})
    hours: set[str] = field(default_factory=set)

    def passing(self, batches: Iterable[CheckedRows]) -> Iterator[pl.DataFrame]:
        for batch in batches:
            self.rows += batch.frame.height
            self.hours.update(batch.frame[USAGE_START].unique().to_list())
            for name, total in batch.totals.items():
                self.totals[name] = sum_of(self.totals.get(name, "0"), total)
            yield batch.frame


def _numbered(frames: Iterable[pl.DataFrame], rows_per_file: int) -> Iterator[tuple[int, pl.DataFrame]]:
    """Split frames where a file is full, and number each piece with its file."""
    number, rows, columns = -1, rows_per_file, None
    for frame in frames:
        start = 0
        while start < frame.height:
            if rows == rows_per_file or frame.columns != columns:
                number, rows, columns = number + 1, 0, frame.columns
            piece = frame.slice(start, rows_per_file - rows)
            yield number, piece
            start, rows = start + piece.height, rows + piece.height


def _write_file(local: str, number: int, frames: Iterable[pl.DataFrame], content: hashlib._Hash) -> DropFile:
    name, rows = part_name(number), 0
    path = os.path.join(local, name)
    with open(path, "wb") as raw:
        file = _HashedFile(raw)
        # Neither a time nor a name inside, so that equal rows make equal files.
        with gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=file, mtime=0) as zipped:
            for piece in chain.from_iterable(frame.iter_slices(_SLICE) for frame in frames):
                text = piece.write_csv(include_header=rows == 0).encode()
                content.update(text)
                zipped.write(text)
                rows += piece.height
    return DropFile(name, rows, file.size, file.sha256.hexdigest())


class _HashedFile:
    """A file that knows what was written to it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.size = 0
        self.sha256 = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.size += len(data)
        self.sha256.update(data)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()
