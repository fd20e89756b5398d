"""Files in object storage, by Airflow's ``ObjectStoragePath``: S3, GCS, Azure, and whatever it opens."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseHook, ObjectStoragePath

from cloudzero_provider.exceptions import ConfigurationError, InputError
from cloudzero_provider.sources.file_names import without_folders

if TYPE_CHECKING:
    from collections.abc import Iterator

_PIECE = 8 * 1024 * 1024


class ObjectStorage:
    """
    What URIs name: ``s3://my_aws_conn@bucket/2026-03/*.parquet``. The Airflow connection stands before the ``@``.

    An outage is the storage's own error, so that ``retries`` heal it; what a retry can't help is an ``InputError`` or a
    ``ConfigurationError``.
    """

    def find(self, uri: str) -> list[str]:
        """Which files a URI with a pattern in it names."""
        with _explained(uri):
            storage, key = _opened(uri)
            found = storage.glob(key, detail=True)
        before = uri.removesuffix(key)
        return without_folders({f"{before}{name}": info["type"] != "file" for name, info in found.items()})

    def fetch(self, uri: str, file: IO[bytes]) -> None:
        """Copy a file here, whole."""
        with _explained(uri):
            storage, key = _opened(uri)
            info = storage.info(key)
            # Some storages read a folder as if it was an empty file.
            if info["type"] != "file":
                raise IsADirectoryError(f"it is a {info['type']}")
            with storage.open(key, "rb", block_size=_PIECE) as source:
                shutil.copyfileobj(source, file, _PIECE)
        if info.get("size") not in (None, file.tell()):
            raise OSError(f"{uri}: {file.tell():,} of {info['size']:,} bytes arrived.")


def _opened(uri: str) -> tuple[Any, str]:
    """Find Airflow's file system for a URI, and the file's name there."""
    connection, at, _ = uri.partition("://")[2].partition("/")[0].rpartition("@")
    if at:
        # A storage whose connection is not there would go on without one.
        BaseHook.get_connection(connection)
    path = ObjectStoragePath(uri)
    storage = path.fs
    # It remembers what it once listed, for as long as the worker runs.
    storage.invalidate_cache()
    return storage, path.path


@contextmanager
def _explained(uri: str) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        raise InputError(f"{uri}: the file can't be read ({type(error).__name__}: {error}).") from None
    except (ValueError, ImportError) as error:
        raise ConfigurationError(
            f"{uri}: Airflow can't open it ({error}). Is the provider for it installed, like "
            "apache-airflow-providers-amazon[s3fs]?"
        ) from None
