"""
The root folder of a bucket connection, as ``--bucket`` names it.

https://docs.cloudzero.com/docs/anycost-cbf-drop-specs
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.anycost.connections import is_name

if TYPE_CHECKING:
    from collections.abc import Mapping

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_FORM = "use NAME=/path/of/a/folder or NAME=s3://bucket/folder"
#: Stands for the name of the bucket, if the root is a local folder.
LOCAL = "local-folder"


class InvalidBucketError(ValueError):
    """An invalid ``--bucket``; the message gives the reason."""


@dataclass(frozen=True)
class BucketRoot:
    """
    Where the adaptor of a bucket connection writes.

    :param name: id and name of the connection.
    :param bucket: on S3; ``None`` for a local folder.
    :param path: of the folder: within the bucket, or absolute on this machine.
    """

    name: str
    bucket: str | None
    path: str

    @property
    def uri(self) -> str:
        return self.path if self.bucket is None else f"s3://{self.bucket}/{self.path}"

    def as_bucket_info(self) -> dict[str, str]:
        """Return what the connection has as ``s3_bucket_info``."""
        return {"bucket_name": self.bucket or LOCAL, "bucket_path": self.path}

    @classmethod
    def of_bucket_info(cls, name: str, info: Mapping[str, str]) -> BucketRoot:
        """Return the root of a connection that has this ``s3_bucket_info``."""
        bucket = info.get("bucket_name", "")
        return cls(name, None if bucket == LOCAL else bucket, info.get("bucket_path", ""))


def parse_bucket_option(text: str) -> BucketRoot:
    """
    Parse ``NAME=ROOT`` from ``--bucket``.

    :raises InvalidBucketError: if it is invalid. The message does not repeat the root, which might have credentials.
    """
    name, equals, root = text.partition("=")
    if not equals or not is_name(name):
        raise InvalidBucketError(
            f"--bucket needs the name of a connection, of letters, digits, - and _, and the root folder: {_FORM}"
        )
    scheme = _SCHEME.match(root)
    if scheme is None or scheme[1].lower() == "file":
        return _local(name, root[scheme.end() :] if scheme else root)
    if scheme[1] != "s3":
        raise InvalidBucketError(f"--bucket {name}: {scheme[1]}:// is not supported; {_FORM}")
    return _on_s3(name, root[scheme.end() :])


def _local(name: str, root: str) -> BucketRoot:
    if not root:
        raise InvalidBucketError(f"--bucket {name}: the root folder is missing; {_FORM}")
    path = Path(root).expanduser().resolve()
    if path == Path(path.anchor):
        raise InvalidBucketError(f"--bucket {name}: the root must be a folder, not the whole file system; {_FORM}")
    return BucketRoot(name, None, str(path))


def _on_s3(name: str, rest: str) -> BucketRoot:
    bucket, _, path = rest.partition("/")
    if "@" in bucket:
        raise InvalidBucketError(
            f"--bucket {name}: an s3:// address has no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    if not _BUCKET.fullmatch(bucket):
        raise InvalidBucketError(f"--bucket {name}: the name of the bucket after s3:// is not valid")
    path = path.rstrip("/")
    if not path:
        raise InvalidBucketError(
            f"--bucket {name}: the root must be a folder, never the root of a bucket: s3://{bucket}/FOLDER"
        )
    if any(part in ("", ".", "..") for part in path.split("/")):
        raise InvalidBucketError(f"--bucket {name}: the folder has a part that is blank, . or ..")
    return BucketRoot(name, bucket, path)
