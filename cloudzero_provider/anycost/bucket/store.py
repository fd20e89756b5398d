"""What a drop needs of object storage."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Stored:
    """
    A small object.

    :param content: all of it.
    :param version: identifies this content, for :meth:`BucketStore.replace`.
    """

    content: bytes
    version: str


@dataclass(frozen=True)
class Listed:
    """
    An object in a listing.

    :param key: below the root.
    :param size: in bytes.
    """

    key: str
    size: int

    @property
    def is_csv(self) -> bool:
        """Whether CloudZero may read it as rows, if it is in the folder of a drop."""
        return self.key.endswith((".csv", ".csv.gz"))


@dataclass(frozen=True)
class Digest:
    """
    What a file holds.

    :param size: in bytes.
    :param sha256: hash of all bytes.
    """

    size: int
    sha256: str

    @classmethod
    def of(cls, chunks: Iterable[bytes]) -> Digest:
        """
        Hash a file.

        :param chunks: all of its bytes, in order.
        """
        size, sha256 = 0, hashlib.sha256()
        for chunk in chunks:
            size += len(chunk)
            sha256.update(chunk)
        return cls(size, sha256.hexdigest())


class VersionChangedError(Exception):
    """The object is no longer the version that was to be replaced."""


class BucketStore(Protocol):
    """
    Objects below a root. Keys are relative to it, with slashes.

    What a retry can't fix, such as a missing permission, raises a :class:`~cloudzero_provider.exceptions.BucketError`.
    An outage raises a :class:`~cloudzero_provider.exceptions.BucketUnavailableError`, or the ``OSError`` of a folder.
    """

    @property
    def root(self) -> str:
        """The root, like ``s3://bucket/anycost/acme``, for people."""

    @property
    def is_conditional(self) -> bool:
        """Whether :meth:`replace` notices another writer. Without that, the last one wins."""

    def read(self, key: str) -> Stored | None:
        """Read a small object; ``None`` if there is none."""

    def replace(self, key: str, content: bytes, version: str | None) -> None:
        """
        Write a small object whole.

        :param key: of the object.
        :param content: what it shall hold.
        :param version: that it has; ``None`` if there is none.
        :raises VersionChangedError: when it has another one, and the store is conditional.
        """

    def write(self, key: str, content: bytes) -> None:
        """Write a small object whole, whatever is there."""

    def upload(self, path: str, key: str) -> None:
        """Write a local file."""

    def download(self, key: str, path: str) -> None:
        """Read an object into a local file."""

    def digest(self, key: str) -> Digest | None:
        """Read an object to its end; ``None`` if there is none."""

    def list(self, folder: str) -> list[Listed]:
        """List all objects below a folder, at any depth; ``folder`` ends with a slash."""

    def delete(self, key: str) -> None:
        """Delete an object, which may be gone already."""
