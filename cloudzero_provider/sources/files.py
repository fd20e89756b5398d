"""Read files by their extensions. Values stay as they are in the file."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cloudzero_provider.exceptions import InputError, MissingFileError
from cloudzero_provider.sources.csv_files import read_csv
from cloudzero_provider.sources.equal_files import FilesSeen
from cloudzero_provider.sources.file_names import FileStore, ending_of, find_files, store_for
from cloudzero_provider.sources.file_signatures import check_contents
from cloudzero_provider.sources.json_files import read_json, read_json_lines
from cloudzero_provider.sources.parquet_files import read_parquet
from cloudzero_provider.sources.rows import Rows, joined
from cloudzero_provider.values.parameters import read_bool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Extension without ``.gz`` → its reader.
_READERS: dict[str, Callable[[str, str], Rows]] = {
    ".csv": read_csv,
    ".json": read_json,
    ".jsonl": read_json_lines,
    ".ndjson": read_json_lines,
    ".parquet": read_parquet,
}
#: Errors of the name or the file itself, which a retry can't fix.
_NOT_OUTAGES = (errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENAMETOOLONG)


def from_files(files: Any, store: FileStore | None = None, *, allow_equal_files: bool = False) -> Rows:
    """
    Read files in order, as one table.

    :param files: a path, a URI or a pattern (``/bills/2026-03/*.parquet``), or a list of those, or of such lists. The
        extension says what a file is: ``.csv``, ``.json`` (an array of objects, or an object per line), ``.jsonl`` or
        ``.ndjson`` (an object per line), each also with ``.gz``, or ``.parquet``.
    :param store: for URIs.
    :param allow_equal_files: whether two files may hold the same rows.
    :raises InputError: when a file is missing or can't be read (naming file and line), or two hold the same rows.
    """
    return joined(list(read_files(files, store, allow_equal_files=allow_equal_files)))


def read_files(files: Any, store: FileStore | None = None, *, allow_equal_files: bool = False) -> Iterator[Rows]:
    """Read files in order, each as its own rows. Parameters and errors are those of :func:`from_files`."""
    seen = None if read_bool("allow_equal_files", allow_equal_files) else FilesSeen()
    for name, ending in [(name, ending_of(name)) for name in find_files(files, store)]:
        with on_disk(name, store) as path:
            check_contents(name, path, ending)
            rows = _READERS[ending.removesuffix(".gz")](name, path)
        if seen is not None:
            seen.refuse_equal(name, rows)
        yield replace(rows, source=name)


@contextmanager
def on_disk(name: str, store: FileStore | None) -> Iterator[str]:
    """
    Provide a local path: the file itself, or a temporary copy of one in a store.

    :param name: a path or a URI.
    :param store: for URIs.
    :raises InputError: when the file is missing or can't be read.
    """
    if "://" not in name:
        _check_file(name)
        yield name
        return
    # It loads a dozen modules, which local files don't need.
    import tempfile

    with tempfile.NamedTemporaryFile(prefix="cloudzero-", suffix=os.path.basename(name)[-40:]) as file:
        store_for(name, store).fetch(name, file)
        file.flush()
        yield file.name


def _check_file(name: str) -> None:
    """Refuse what a retry can't fix. Other errors, such as those of a mount that is down, are raised unchanged."""
    try:
        mode = os.stat(name).st_mode
        if not stat.S_ISREG(mode):
            kind = "Is a directory" if stat.S_ISDIR(mode) else "It is a pipe or a device, not a regular file"
            raise InputError(f"{name}: the file can't be read ({kind}).")
        with open(name, "rb"):
            pass
    except OSError as error:
        if error.errno == errno.ENOENT:
            raise MissingFileError(name) from None
        if error.errno not in _NOT_OUTAGES:
            raise
        raise InputError(f"{name}: the file can't be read ({error.strerror or error}).") from None
