"""Files in object storage that Airflow's ``ObjectStoragePath`` opens: S3, GCS, Azure and others."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowNotFoundException, BaseHook, ObjectStoragePath

from cloudzero_provider.exceptions import ConfigurationError, InputError, MissingFileError
from cloudzero_provider.sources.file_names import without_folders

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK_BYTES = 8 * 1024 * 1024


class ObjectStorage:
    """
    Files by URI, like ``s3://my_aws_conn@bucket/2026-03/*.parquet``, with the Airflow connection before the ``@``.

    An outage raises the storage's own error, so that ``retries`` help. What a retry can't fix is an ``InputError`` or a
    ``ConfigurationError``.
    """

    def find(self, uri: str) -> list[str]:
        """
        Find files.

        :param uri: with a pattern.
        :return: their URIs.
        """
        with _readable_errors(uri):
            storage, key = open_storage(uri)
            found = storage.glob(key, detail=True)
        before = uri.removesuffix(key)
        return without_folders({f"{before}{name}": info["type"] != "file" for name, info in found.items()})

    def fetch(self, uri: str, file: IO[bytes]) -> None:
        """
        Download a file.

        :param uri: of the file.
        :param file: open for writing bytes.
        """
        with _readable_errors(uri):
            storage, key = open_storage(uri)
            info = storage.info(key)
            # Some storages read a folder as an empty file.
            if info["type"] != "file":
                raise IsADirectoryError(f"it is a {info['type']}")
            with storage.open(key, "rb", block_size=_CHUNK_BYTES) as source:
                shutil.copyfileobj(source, file, _CHUNK_BYTES)
        if info.get("size") not in (None, file.tell()):
            raise OSError(f"{uri}: only {file.tell():,} of {info['size']:,} bytes were read.")

    def check(self, uri: str) -> None:
        """
        Check that Airflow knows the storage of a URI, and its connection.

        :param uri: of a file, which need not exist.
        :raises ConfigurationError: when it does not.
        """
        try:
            with _readable_errors(uri):
                open_storage(uri)
        except AirflowNotFoundException as error:
            raise ConfigurationError(f"{without_credentials(uri)}: {error}") from None

    def head(self, uri: str, size: int) -> bytes | None:
        """
        Read the beginning of a file.

        :param uri: of the file.
        :param size: most bytes to read.
        :return: the bytes; ``None`` if there is no such file.
        :raises ConfigurationError: also when there is no such Airflow connection.
        """
        try:
            with _readable_errors(uri):
                storage, key = open_storage(uri)
                with storage.open(key, "rb", block_size=size) as source:
                    return bytes(source.read(size))
        except MissingFileError:
            return None
        except AirflowNotFoundException as error:
            raise ConfigurationError(f"{without_credentials(uri)}: {error}") from None

    def upload(self, file: IO[bytes], uri: str) -> None:
        """
        Write a file, and replace what is there.

        :param file: open for reading bytes.
        :param uri: of the file. Folders of this machine (``file://``) are created as needed.
        """
        storage, key = open_storage(uri)
        if uri.startswith("file://"):
            storage.makedirs(os.path.dirname(key), exist_ok=True)
        with storage.open(key, "wb", block_size=_CHUNK_BYTES) as target:
            shutil.copyfileobj(file, target, _CHUNK_BYTES)

    def remove(self, uri: str) -> None:
        """
        Delete a file.

        :param uri: of the file.
        """
        with _readable_errors(uri):
            storage, key = open_storage(uri)
            storage.rm_file(key)


def open_storage(uri: str) -> tuple[Any, str]:
    """
    Open the storage of a URI.

    :param uri: with the Airflow connection before an ``@``, if it has one.
    :return: Airflow's file system, and the path in it.
    :raises AirflowNotFoundException: when there is no such connection.
    """
    connection = _connection(uri)
    if connection is not None:
        # Without the connection, storages would silently use none.
        try:
            BaseHook.get_connection(connection)
        except AirflowNotFoundException:
            if ":" not in connection:
                raise
            raise AirflowNotFoundException(
                "what is before the @ is not the id of an Airflow connection. If these are credentials, replace them, "
                "as Airflow shows a task's parameters, and store the new ones in an Airflow connection"
            ) from None
    path = ObjectStoragePath(uri)
    storage = path.fs
    # File systems cache listings for as long as the worker runs.
    storage.invalidate_cache()
    return storage, path.path


def without_credentials(uri: str) -> str:
    """
    Hide the login and the password that somebody may have written before an ``@``.

    :param uri: with an Airflow connection, credentials, or neither.
    """
    connection = _connection(uri)
    if connection is None or ":" not in connection:
        return uri
    scheme, _, rest = uri.partition("://")
    return f"{scheme}://…{rest[len(connection) :]}"


def _connection(uri: str) -> str | None:
    """What is before the ``@`` of a URI; ``None`` without one."""
    place = uri.partition("://")[2]
    host = place.partition("/")[0]
    # A password, unlike an Airflow connection, may have slashes.
    name, at, _ = (place if ":" in host else host).rpartition("@")
    return name if at else None


@contextmanager
def _readable_errors(uri: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise MissingFileError(uri, f"there is no such file ({error})") from None
    except (PermissionError, IsADirectoryError) as error:
        raise InputError(f"{uri}: the file can't be read ({type(error).__name__}: {error}).") from None
    except (ValueError, ImportError) as error:
        raise ConfigurationError(
            f"{uri}: Airflow can't open it ({error}). Is the provider for it installed, like "
            "apache-airflow-providers-amazon[s3fs]?"
        ) from None
