"""The storage that the sandbox reads bucket connections from: a local folder, or S3."""

from __future__ import annotations

import importlib
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from cloudzero_provider.sandbox.buckets.manifest import MANIFEST
from cloudzero_provider.sandbox.buckets.roots import InvalidBucketError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from cloudzero_provider.sandbox.buckets.roots import BucketRoot

    Result = TypeVar("Result")

_BUFFER_BYTES = 1024 * 1024
_VERSION = "?versionId="


class StorageError(Exception):
    """The storage could not be read. This says nothing about the drop, which is read again with the next poll."""


class Storage(Protocol):
    """The root folder of a bucket connection."""

    def folders(self) -> list[str]:
        """Return the names of the folders in the root."""

    def manifest(self, folder: str) -> bytes | None:
        """Return the manifest of a folder; ``None`` if it has none."""

    def files(self, folder: str, drop_id: str) -> list[str]:
        """Return the names of all files below a drop's folder; none if there is no such folder."""

    def open(self, folder: str, drop_id: str, name: str) -> io.BufferedReader:
        """Open a file of a drop. Its reads raise ``StorageError`` alone."""


def open_storage(root: BucketRoot) -> Storage:
    """
    Return the storage of a root, without looking at it.

    :raises InvalidBucketError: if what reads it is not installed.
    """
    if root.bucket is None:
        return LocalStorage(Path(root.path))
    try:
        s3fs = importlib.import_module("s3fs")
    except ImportError:
        raise InvalidBucketError(
            f"--bucket {root.name}: s3:// needs s3fs, which is not installed: pip install s3fs"
        ) from None
    return S3Storage(s3fs, f"{root.bucket}/{root.path}")


class LocalStorage:
    """A folder on this machine, as if it were a bucket: a folder without files does not exist."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def folders(self) -> list[str]:
        return _or_storage_error(lambda: sorted(path.name for path in self._root.iterdir() if path.is_dir()))

    def manifest(self, folder: str) -> bytes | None:
        path = self._root / folder / MANIFEST
        return _or_storage_error(lambda: path.read_bytes() if path.is_file() else None)

    def files(self, folder: str, drop_id: str) -> list[str]:
        top = self._root / folder / drop_id

        def find() -> list[str]:
            walked = os.walk(top, onerror=_raise_unless_missing)
            return sorted(str((Path(where) / name).relative_to(top)) for where, _, names in walked for name in names)

        return _or_storage_error(find)

    def open(self, folder: str, drop_id: str, name: str) -> io.BufferedReader:
        return _readable(_or_storage_error((self._root / folder / drop_id / name).open, "rb"))


def _raise_unless_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise error


class S3Storage:
    """A folder of a bucket; endpoint and credentials come from the usual variables and files of AWS."""

    def __init__(self, s3fs: Any, root: str) -> None:
        self._root = root
        # What another process writes must be seen at once.
        self._system = s3fs.S3FileSystem(use_listings_cache=False, skip_instance_cache=True)

    def folders(self) -> list[str]:
        return _or_storage_error(self._folders)

    def _folders(self) -> list[str]:
        try:
            listed = self._system.ls(self._path(), detail=True, refresh=True)
        except FileNotFoundError:
            # A folder without files does not exist, but its bucket has to.
            self._system.ls(self._root.partition("/")[0], refresh=True)
            return []
        return sorted(found["name"].rsplit("/", 1)[1] for found in listed if found["type"] == "directory")

    def manifest(self, folder: str) -> bytes | None:
        def read() -> bytes | None:
            try:
                return bytes(self._system.cat_file(self._path(folder, MANIFEST)))
            except FileNotFoundError:
                return None

        return _or_storage_error(read)

    def files(self, folder: str, drop_id: str) -> list[str]:
        top = self._path(folder, drop_id, "")
        found = _or_storage_error(lambda: self._system.find(top, refresh=True))
        return sorted(path.removeprefix(top) for path in found if path.startswith(top) and path != top)

    def open(self, folder: str, drop_id: str, name: str) -> io.BufferedReader:
        return _readable(_or_storage_error(self._system.open, self._path(folder, drop_id, name), "rb"))

    def _path(self, *parts: str) -> str:
        path = "/".join((self._root, *parts))
        if _VERSION in path:
            # It would be read without that part of its name, as another folder or file.
            raise StorageError(f"cannot read the storage: s3fs takes {_VERSION}… in a name for the version of a file")
        return path


def _or_storage_error(work: Callable[..., Result], *arguments: object) -> Result:
    """Do the work; whatever goes wrong, in any of S3's libraries, is a ``StorageError``."""
    try:
        return work(*arguments)
    except Exception as error:
        words = str(error) or type(error).__name__
        raise StorageError(f"cannot read the storage: {words}") from None


class _Readable(io.RawIOBase):
    """Raises ``StorageError`` instead of an ``OSError``, which also stands for invalid gzip."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data: bytes = _or_storage_error(self._file.read, len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()


def _readable(file: Any) -> io.BufferedReader:
    return io.BufferedReader(_Readable(file), _BUFFER_BYTES)
