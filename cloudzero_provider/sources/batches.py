"""Read files in batches, so that the size of a file doesn't matter to memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cloudzero_provider.sources.csv_files import csv_batches
from cloudzero_provider.sources.equal_files import FilesSeen
from cloudzero_provider.sources.file_names import FileStore, ending_of, find_files
from cloudzero_provider.sources.file_signatures import check_contents
from cloudzero_provider.sources.files import on_disk
from cloudzero_provider.sources.json_files import read_json, read_json_lines
from cloudzero_provider.sources.parquet_files import parquet_batches
from cloudzero_provider.values.parameters import read_bool, read_whole_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cloudzero_provider.sources.rows import Rows

#: With more rows, reading and checking a row takes no less time.
ROWS_PER_BATCH = 100_000


def _whole(read: Callable[[str, str], Rows]) -> Callable[[str, str, int], Iterator[Rows]]:
    return lambda name, path, _: iter([read(name, path)])


#: Extension without ``.gz`` → its reader.
_READERS: dict[str, Callable[[str, str, int], Iterator[Rows]]] = {
    ".csv": csv_batches,
    ".json": _whole(read_json),
    ".jsonl": _whole(read_json_lines),
    ".ndjson": _whole(read_json_lines),
    ".parquet": parquet_batches,
}


def read_batches(
    files: Any,
    store: FileStore | None = None,
    *,
    allow_equal_files: bool = False,
    rows_per_batch: int = ROWS_PER_BATCH,
) -> Iterator[Rows]:
    """
    Read files in order, each in batches. Memory is that of a few batches, however large a file is.

    JSON is read whole: a file of it is one batch. A file in a store is copied to a temporary file while it is read.

    An error in a file is raised when its batch is reached. That a file holds the same rows as an earlier one is known
    only after its last batch. In both cases, what was done with the batches must be undone.

    :param files: as for :func:`~cloudzero_provider.sources.read_files`.
    :param store: for URIs.
    :param allow_equal_files: whether two files may hold the same rows.
    :param rows_per_batch: the most rows of a batch.
    :return: at least one batch of each file, and none with rows of two. All batches of a file have the same columns, in
        the same order and of the same types. The places of their rows are those in the file.
    :raises InputError: when a file is missing or can't be read (naming file and line), or two hold the same rows.
    """
    allow_equal_files = read_bool("allow_equal_files", allow_equal_files)
    rows_per_batch = read_whole_number("rows_per_batch", rows_per_batch)
    found = [(name, ending_of(name)) for name in find_files(files, store)]
    seen = None if allow_equal_files or len(found) == 1 else FilesSeen()
    for name, ending in found:
        with on_disk(name, store) as path:
            check_contents(name, path, ending)
            batches = _READERS[ending.removesuffix(".gz")](name, path, rows_per_batch)
            for rows in batches if seen is None else seen.refusing_equal(name, batches):
                yield replace(rows, source=name)
