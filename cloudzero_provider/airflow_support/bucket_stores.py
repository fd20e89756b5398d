"""Where an AnyCost Bucket drop is written: S3, other storages that Airflow opens, or a folder."""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowNotFoundException

from cloudzero_provider.airflow_support.object_storage import open_storage, without_credentials
from cloudzero_provider.anycost.bucket.layout import is_month_folder
from cloudzero_provider.anycost.bucket.local_store import LocalStore
from cloudzero_provider.anycost.bucket.store import Digest, Listed, Stored, VersionChangedError
from cloudzero_provider.exceptions import BucketError, BucketUnavailableError, CloudZeroError, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudzero_provider.anycost.bucket.store import BucketStore

log = logging.getLogger(__name__)

_CHUNK_BYTES = 8 * 1024 * 1024
_FORM = "expected a folder in a bucket, like s3://my_aws_conn@bucket/anycost/acme"
#: What S3 replies when the object is not the expected version, or another write of it is in progress.
_CHANGED = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict", "409", "NoSuchKey", "404"})
_REFUSED_CREDENTIALS = frozenset({"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidSecurity"})
#: The next attempt of the task reads the credentials again.
_EXPIRED = frozenset({"ExpiredToken", "RequestTimeTooSkewed"})
_ELSEWHERE = frozenset({"PermanentRedirect", "301", "AuthorizationHeaderMalformed"})
_NOT_SUPPORTED = frozenset({"NotImplemented", "501"})


def open_store(bucket_path: Any) -> BucketStore:
    """
    Open the folder of an AnyCost Bucket connection.

    :param bucket_path: ``s3://my_aws_conn@bucket/folder``, another URI that ``ObjectStoragePath`` opens, or the path of
        a folder on this machine.
    :raises ConfigurationError: when it is the root of a bucket, or a path or URI that can't be opened.
    :raises BucketUnavailableError: when its connection can't be used now.
    """
    path = str(bucket_path).strip().removeprefix("file://") if bucket_path is not None else ""
    if "://" not in path:
        return _local_store(path)
    shown = without_credentials(path)
    scheme, _, place = path.partition("://")
    bucket, _, folder = place.partition("/")
    names = folder.strip("/").split("/")
    if not bucket.rpartition("@")[2] or names == [""]:
        raise ConfigurationError(
            f"bucket_path is {shown!r}, the root of a bucket, which CloudZero does not accept: {_FORM}."
        )
    if not all(names) or {".", ".."} & {*names}:
        raise ConfigurationError(f"bucket_path is {shown!r}, with a folder that is '', '.' or '..': {_FORM}.")
    _refuse_month_folder(shown, names[-1])
    uri = f"{scheme}://{bucket}/{'/'.join(names)}"
    try:
        storage, key = open_storage(uri)
    except (AirflowNotFoundException, ValueError, ImportError) as error:
        raise ConfigurationError(
            f"bucket_path is {shown!r}: Airflow can't open it ({error}). Is the provider for it "
            "installed, like apache-airflow-providers-amazon[s3fs], and the connection before the @ there?"
        ) from None
    except Exception as error:
        raise BucketUnavailableError(
            f"bucket_path is {shown!r}: Airflow can't open it ({type(error).__name__}: {error}). "
            "Correct its connection, or run the task again if the error may pass."
        ) from error
    root = f"{scheme}://{bucket.rpartition('@')[2]}/{'/'.join(names)}"
    kind = S3Store if hasattr(storage, "call_s3") else ObjectStore
    return kind(storage, key.rstrip("/"), root)


def _local_store(path: str) -> LocalStore:
    if not os.path.isabs(path) or not os.path.normpath(path).strip(os.sep):
        raise ConfigurationError(f"bucket_path is {path!r}: {_FORM}, or the absolute path of a folder.")
    root = os.path.normpath(path)
    _refuse_month_folder(path, os.path.basename(root))
    return LocalStore(root)


def _refuse_month_folder(shown: str, name: str) -> None:
    """Refuse what somebody has copied from a listing of the bucket: CloudZero looks for months in the root only."""
    if is_month_folder(name):
        raise ConfigurationError(
            f"bucket_path is {shown!r}, the folder of a month: expected the folder above it, which is that of the "
            "AnyCost Bucket connection."
        )


def _explained(what: str, error: Exception) -> BucketError:
    code, said = _code(error), str(error).rstrip(".")
    if code in _REFUSED_CREDENTIALS:
        return BucketError(
            f"{what}: the storage does not accept the credentials ({said}). Correct those of the Airflow connection."
        )
    if code in _ELSEWHERE:
        return BucketError(
            f"{what}: the bucket is in another region, or behind another address ({said}). Correct region_name and "
            "endpoint_url in the extra of the Airflow connection."
        )
    if isinstance(error, PermissionError) and code not in _EXPIRED:
        return BucketError(
            f"{what}: the storage denies it ({said}). The Airflow connection needs to list, read, write and delete "
            "objects in this folder."
        )
    if isinstance(error, FileNotFoundError) and code != "NoSuchUpload":
        return BucketError(f"{what}: {said}. Does the bucket exist?")
    return BucketUnavailableError(f"{what} ({type(error).__name__}: {said}). Running the task again may help.")


class ObjectStore:
    """
    A folder in object storage; see :class:`~cloudzero_provider.anycost.bucket.store.BucketStore`.

    :param storage: the file system (fsspec).
    :param path: of the folder, in the file system.
    :param root: the folder, for people.
    """

    is_conditional = False

    def __init__(self, storage: Any, path: str, root: str) -> None:
        self._storage = storage
        self._path = path
        self.root = root

    def read(self, key: str) -> Stored | None:
        """Read an object."""
        with self._readable_errors(key, "read"):
            try:
                return Stored(bytes(self._storage.cat_file(self._full(key))), "")
            except FileNotFoundError:
                return None

    def replace(self, key: str, content: bytes, version: str | None) -> None:
        """Write an object; the last writer wins."""
        del version
        self.write(key, content)

    def write(self, key: str, content: bytes) -> None:
        """Write an object."""
        with self._readable_errors(key, "written"):
            self._storage.pipe_file(self._full(key), content)

    def upload(self, path: str, key: str) -> None:
        """Write a local file. An interrupted upload leaves nothing, or all of it."""
        with self._readable_errors(key, "written"):
            self._storage.put_file(path, self._full(key))

    def download(self, key: str, path: str) -> None:
        """Read an object into a local file."""
        with self._readable_errors(key, "read"):
            self._storage.get_file(self._full(key), path)

    def digest(self, key: str) -> Digest | None:
        """Read an object to its end."""
        self._storage.invalidate_cache()
        with self._readable_errors(key, "read"):
            try:
                with self._storage.open(self._full(key), "rb", block_size=_CHUNK_BYTES) as file:
                    return Digest.of(iter(lambda: file.read(_CHUNK_BYTES), b""))
            except FileNotFoundError:
                return None

    def list(self, folder: str) -> list[Listed]:
        """List all objects below a folder."""
        self._storage.invalidate_cache()
        with self._readable_errors(folder, "listed"):
            try:
                found = self._storage.find(self._full(folder), detail=True)
            except FileNotFoundError:
                return []
        skipped = len(self._path) + 1
        return [Listed(name[skipped:], int(info["size"] or 0)) for name, info in sorted(found.items())]

    def delete(self, key: str) -> None:
        """Delete an object."""
        with self._readable_errors(key, "deleted"):
            try:
                self._storage.rm_file(self._full(key))
            except FileNotFoundError:
                return

    def _full(self, key: str) -> str:
        return f"{self._path}/{key}"

    @contextmanager
    def _readable_errors(self, key: str, done: str) -> Iterator[None]:
        """Say what could not be done, and what to do."""
        try:
            yield
        except (CloudZeroError, VersionChangedError):
            raise
        except Exception as error:
            raise _explained(f"{self.root}/{key} can't be {done}", error) from error


class S3Store(ObjectStore):
    """A folder of S3, which refuses to replace an object that another writer has changed."""

    @property
    def is_conditional(self) -> bool:  # type: ignore[override]
        """Whether the installed botocore knows conditional writes; s3fs leaves out parameters that it does not know."""
        operation = self._storage.s3.meta.service_model.operation_model("PutObject")
        return {"IfMatch", "IfNoneMatch"} <= set(operation.input_shape.members)

    def read(self, key: str) -> Stored | None:
        """Read an object, and its ETag with it."""

        async def get() -> Stored:
            reply = await self._storage._call_s3("get_object", **self._place(key))
            async with reply["Body"] as body:
                return Stored(await body.read(), reply["ETag"])

        with self._readable_errors(key, "read"):
            try:
                return asyncio.run_coroutine_threadsafe(get(), self._storage.loop).result()
            except FileNotFoundError as error:
                if _code(error) == "NoSuchBucket":
                    raise
                return None
            except PermissionError as error:
                # S3 also replies so for an object that does not exist, if only a part of the bucket may be listed.
                if _code(error) != "AccessDenied" or any(each.key == key for each in self._pages(key)):
                    raise
                return None

    def list(self, folder: str) -> list[Listed]:
        """List all objects below a folder. Unlike s3fs, it asks for nothing outside of the folder."""
        with self._readable_errors(folder, "listed"):
            return sorted(self._pages(folder), key=lambda listed: listed.key)

    def replace(self, key: str, content: bytes, version: str | None) -> None:
        """Write an object if it is still the version."""
        condition = {"IfNoneMatch": "*"} if version is None else {"IfMatch": version}
        with self._readable_errors(key, "written"):
            try:
                self._put(key, content, **(condition if self.is_conditional else {}))
            except OSError as error:
                code = _code(error)
                if code in _CHANGED:
                    raise VersionChangedError(f"{self.root}/{key} is not what it was when it was read") from error
                if code not in _NOT_SUPPORTED:
                    raise
                log.warning("%s does not support conditional writes, so the last of several writers wins", self.root)
                self._put(key, content)

    def _put(self, key: str, content: bytes, **condition: str) -> None:
        self._storage.call_s3(
            "put_object", Body=content, ContentType="application/json", **self._place(key), **condition
        )

    def _pages(self, prefix: str) -> Iterator[Listed]:
        place = self._place(prefix)
        request = {"Bucket": place["Bucket"], "Prefix": place["Key"]}
        skipped = len(place["Key"]) - len(prefix)
        while True:
            page = self._storage.call_s3("list_objects_v2", **request)
            for each in page.get("Contents", ()):
                # Consoles make objects that look like folders.
                if not each["Key"].endswith("/"):
                    yield Listed(each["Key"][skipped:], int(each["Size"]))
            if not page.get("NextContinuationToken"):
                return
            request["ContinuationToken"] = page["NextContinuationToken"]

    def _place(self, key: str) -> dict[str, str]:
        bucket, _, name = self._full(key).partition("/")
        return {"Bucket": bucket, "Key": name}


def _code(error: BaseException) -> str:
    """S3's code of an error that s3fs has translated."""
    reply = getattr(error.__cause__, "response", None) or {}
    return str(reply.get("Error", {}).get("Code", ""))
