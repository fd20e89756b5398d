"""A bucket in memory, with or without conditional writes."""

from __future__ import annotations

import hashlib
from pathlib import Path

from cloudzero_provider.anycost.bucket.store import Digest, Listed, Stored, VersionChangedError


class MemoryStore:
    """
    See :class:`~cloudzero_provider.anycost.bucket.store.BucketStore`.

    As in S3, equal contents are equal versions.
    """

    root = "memory://root"

    def __init__(self, contents: dict[str, bytes], *, is_conditional: bool) -> None:
        self.contents = dict(contents)
        self.is_conditional = is_conditional

    def files(self) -> dict[str, bytes]:
        return dict(self.contents)

    def read(self, key: str) -> Stored | None:
        content = self.contents.get(key)
        return None if content is None else Stored(content, _sha256(content))

    def replace(self, key: str, content: bytes, version: str | None) -> None:
        found = self.read(key)
        if self.is_conditional and version != (found.version if found else None):
            raise VersionChangedError
        self.contents[key] = content

    def write(self, key: str, content: bytes) -> None:
        self.contents[key] = content

    def upload(self, path: str, key: str) -> None:
        self.contents[key] = Path(path).read_bytes()

    def download(self, key: str, path: str) -> None:
        Path(path).write_bytes(self.contents[key])

    def digest(self, key: str) -> Digest | None:
        content = self.contents.get(key)
        return None if content is None else Digest(len(content), _sha256(content))

    def list(self, folder: str) -> list[Listed]:
        return [Listed(key, len(each)) for key, each in sorted(self.contents.items()) if key.startswith(folder)]

    def delete(self, key: str) -> None:
        self.contents.pop(key, None)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
