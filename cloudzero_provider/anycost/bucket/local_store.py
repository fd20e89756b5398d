"""A root in a folder of this machine, such as a mounted bucket, or one that a sandbox polls."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloudzero_provider.anycost.bucket.store import Digest, Listed, Stored, VersionChangedError
from cloudzero_provider.exceptions import BucketError
from cloudzero_provider.values.whole_files import whole_file

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class LocalStore:
    """
    Files of a folder; see :class:`~cloudzero_provider.anycost.bucket.store.BucketStore`.

    :param root: path of the folder.
    """

    root: str
    is_conditional = True

    def read(self, key: str) -> Stored | None:
        """Read a file."""
        with self._readable_errors(key):
            try:
                with open(self._path(key), "rb") as file:
                    content = file.read()
            except FileNotFoundError:
                return None
        return Stored(content, hashlib.sha256(content).hexdigest())

    def replace(self, key: str, content: bytes, version: str | None) -> None:
        """Write a file, while no other process replaces it."""
        path = self._path(key)
        with self._readable_errors(key):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with _locked(os.path.dirname(path)):
                found = self.read(key)
                if (found.version if found else None) != version:
                    raise VersionChangedError(f"{path} is not what it was when it was read")
                self.write(key, content)

    def write(self, key: str, content: bytes) -> None:
        """Write a file."""
        with self._readable_errors(key), whole_file(self._path(key)) as file:
            file.write(content)

    def upload(self, path: str, key: str) -> None:
        """Copy a file."""
        with self._readable_errors(key), open(path, "rb") as source, whole_file(self._path(key)) as target:
            shutil.copyfileobj(source, target, _CHUNK_BYTES)

    def download(self, key: str, path: str) -> None:
        """Copy a file."""
        with self._readable_errors(key):
            shutil.copyfile(self._path(key), path)

    def digest(self, key: str) -> Digest | None:
        """Read a file."""
        with self._readable_errors(key):
            try:
                with open(self._path(key), "rb") as file:
                    return Digest.of(iter(lambda: file.read(_CHUNK_BYTES), b""))
            except FileNotFoundError:
                return None

    def list(self, folder: str) -> list[Listed]:
        """List all files below a folder."""
        with self._readable_errors(folder):
            return sorted(self._files(folder), key=lambda listed: listed.key)

    def delete(self, key: str) -> None:
        """Delete a file, and the folder of a drop that it leaves empty."""
        path = self._path(key)
        with self._readable_errors(key), suppress(FileNotFoundError):
            os.unlink(path)
        # A folder that has other files stays.
        with suppress(OSError):
            os.rmdir(os.path.dirname(path))

    def _files(self, folder: str) -> Iterator[Listed]:
        for path, _, names in os.walk(self._path(folder), onerror=_raise_unless_missing):
            for name in names:
                file = os.path.join(path, name)
                yield Listed(os.path.relpath(file, self.root).replace(os.sep, "/"), os.path.getsize(file))

    def _path(self, key: str) -> str:
        return os.path.join(self.root, *key.split("/"))

    @contextmanager
    def _readable_errors(self, key: str) -> Iterator[None]:
        try:
            yield
        except (PermissionError, NotADirectoryError, IsADirectoryError) as error:
            raise BucketError(
                f"{self.root}/{key}: {error.strerror or error}. {self.root} has to be a folder that this worker may "
                "read and write, with nothing in it but what drops are made of."
            ) from None


@contextmanager
def _locked(folder: str) -> Iterator[None]:
    """Lock a folder for the processes of this machine; a process that dies unlocks it."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _raise_unless_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error
