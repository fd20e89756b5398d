"""Files, by their endings. Values stay as they are written."""

from __future__ import annotations

import errno
import glob
import os
import re
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, Protocol

from cloudzero_provider.exceptions import ConfigurationError, InputError
from cloudzero_provider.sources.csv_files import read_csv
from cloudzero_provider.sources.json_files import read_json, read_json_lines
from cloudzero_provider.sources.parquet_files import read_parquet
from cloudzero_provider.sources.rows import Rows, joined

_Reader = Callable[[str, str], Rows]
_READERS: dict[str, _Reader] = {
    ".csv": read_csv,
    ".csv.gz": read_csv,
    ".json": read_json,
    ".json.gz": read_json,
    ".jsonl": read_json_lines,
    ".jsonl.gz": read_json_lines,
    ".ndjson": read_json_lines,
    ".ndjson.gz": read_json_lines,
    ".parquet": read_parquet,
}
#: What the names of files may end in.
ENDINGS = tuple(_READERS)
#: What is wrong with the name or the file, and not with the machine.
_NOT_OUTAGES = (errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENAMETOOLONG)
_PATTERN = re.compile(r"[*?\[]")


class FileStore(Protocol):
    """Where files are that have a URI, like ``s3://bucket/key``."""

    def find(self, uri: str) -> list[str]:
        """Which files a URI with a pattern (``*``, ``?``, ``[…]``) in it names."""

    def fetch(self, uri: str, file: IO[bytes]) -> None:
        """Copy a file here. Raises an ``InputError`` when it is not there or may not be read."""


def from_files(files: Any, store: FileStore | None = None) -> Rows:
    """
    Read files, one after the other, as one table.

    :param files: a path, a URI or a pattern (``/bills/2026-03/*.parquet``), or a list of those. The ending says what a
        file is: ``.csv``, ``.json`` (an array of objects), ``.jsonl`` or ``.ndjson`` (an object per line), each also
        with ``.gz``, or ``.parquet``.
    :param store: for URIs.
    :raises InputError: when a file is missing or can't be read, naming file and line.
    """
    return joined(list(read_files(files, store)))


def read_files(files: Any, store: FileStore | None = None) -> Iterator[Rows]:
    """
    Read files, one after the other, each as rows of its own.

    :param files: as for :func:`from_files`; likewise ``store`` and what is raised.
    """
    if files is None:
        raise InputError("files is None: the upstream task returned no path.")
    if _is_path(files):
        files = [files]
    elif isinstance(files, bytes) or not isinstance(files, Iterable):
        raise InputError(f"files is a {type(files).__name__}: expected a path, or a list of paths.")
    names = _distinct([name for number, given in enumerate(files) for name in _named(given, number, store)])
    if not names:
        raise InputError("files is an empty list: name at least one file.")
    for name, read in [(name, _reader(name)) for name in names]:
        with _on_disk(name, store) as path:
            yield read(name, path)


def _is_path(value: Any) -> bool:
    """Whether it is one path: text, a path of Python's, or one of Airflow's object storage."""
    return isinstance(value, (str, os.PathLike)) or hasattr(value, "protocol")


def _named(given: Any, number: int, store: FileStore | None) -> list[str]:
    """Find the files that an entry of ``files`` names."""
    if not _is_path(given) or (isinstance(given, os.PathLike) and not isinstance(os.fspath(given), str)):
        raise InputError(f"files[{number}] is a {type(given).__name__}, not a path.")
    name = os.fspath(given) if isinstance(given, os.PathLike) else str(given)
    if "\0" in name:
        raise InputError(f"files[{number}] is {name!r}: a path holds no NUL character.")
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        raise InputError(f"files[{number}] is {name!r}: no valid Unicode text.") from None
    if not name:
        raise InputError(f"files[{number}] is an empty text, not a path.")
    is_uri = "://" in name
    if not _PATTERN.search(name) or (not is_uri and os.path.exists(name)):
        return [name]
    found = _store_for(name, store).find(name) if is_uri else _find(name)
    if not found:
        raise InputError(f"{name}: no file has a name like that.")
    return sorted(found)


def _find(pattern: str) -> list[str]:
    found = {name: os.path.isdir(name) for name in glob.glob(pattern, recursive=True)}
    return without_folders(found)


def without_folders(found: Mapping[str, bool]) -> list[str]:
    """
    Take the files of what a pattern fits. A folder that is called like a file may be a table, as Spark writes them.

    :param found: name → whether it is a folder.
    :raises InputError: when the pattern fits such a folder, but no file in it.
    """
    files = [name for name, is_folder in found.items() if not is_folder]
    for name in sorted(found.keys() - files):
        folder = name.rstrip("/")
        if folder.lower().endswith(ENDINGS) and not any(file.startswith(f"{folder}/") for file in files):
            raise InputError(f"{folder} is a folder: name the files in it, as in {folder}/*.")
    return files


def _store_for(uri: str, store: FileStore | None) -> FileStore:
    if store is None:
        raise ConfigurationError(f"{uri}: only files on this machine can be read here.")
    return store


def _distinct(names: list[str]) -> list[str]:
    """Refuse a file that is named twice: its rows would count twice."""
    found: dict[str, str] = {}
    for name in names:
        path = name.removeprefix("file://")
        real = path if "://" in path else os.path.realpath(path)
        if real in found:
            raise InputError(f"{name} is the same file as {found[real]}: its rows would count twice.")
        found[real] = name
    return names


def _reader(name: str) -> _Reader:
    for ending, read in _READERS.items():
        if name.lower().endswith(ending):
            return read
    raise InputError(f"{name}: expected a file that ends in {', '.join(ENDINGS)}.")


@contextmanager
def _on_disk(name: str, store: FileStore | None) -> Iterator[str]:
    """Have a file on this machine: one from a store only for as long as it is read."""
    if "://" not in name:
        _check_file(name)
        yield name
        return
    with tempfile.NamedTemporaryFile(prefix="cloudzero-", suffix=os.path.basename(name)[-40:]) as file:
        _store_for(name, store).fetch(name, file)
        file.flush()
        yield file.name


def _check_file(name: str) -> None:
    """Refuse what a retry can't help; a mounted storage that is down is an error of its own."""
    try:
        mode = os.stat(name).st_mode
        if not stat.S_ISREG(mode):
            kind = "Is a directory" if stat.S_ISDIR(mode) else "It is no regular file, but a pipe or a device"
            raise InputError(f"{name}: the file can't be read ({kind}).")
        with open(name, "rb"):
            pass
    except OSError as error:
        if error.errno not in _NOT_OUTAGES:
            raise
        raise InputError(f"{name}: the file can't be read ({error.strerror or error}).") from None
