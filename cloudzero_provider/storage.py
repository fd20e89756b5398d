"""Files in object storage, by Airflow's ``ObjectStoragePath``: S3, GCS, Azure, and whatever it opens."""

from __future__ import annotations

import re
import shutil
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import ObjectStoragePath

from cloudzero_provider.exceptions import ConfigurationError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATTERN = re.compile(r"[*?\[]")
_PIECE = 1024 * 1024


class ObjectStorage:
    """
    What URIs name: ``s3://my_aws_conn@bucket/2026-03/*.parquet``. The Airflow connection stands before the ``@``.

    An outage is the storage's own error, so that ``retries`` heal it; what a retry can't help is an ``InputError``.
    """

    def find(self, uri: str) -> list[str]:
        """Which files a URI with a pattern in it names."""
        folder, pattern = _split(uri)
        with _explained(uri):
            base = ObjectStoragePath(folder)
            found = [path for path in base.glob(pattern) if path.is_file()]
        return [folder + path.path[len(base.path.rstrip("/")) :].lstrip("/") for path in found]

    def fetch(self, uri: str, file: IO[bytes]) -> None:
        """Copy a file here."""
        with _explained(uri):
            path: Any = ObjectStoragePath(uri)
            with path.open("rb") as source:
                shutil.copyfileobj(source, file, _PIECE)


@contextmanager
def _explained(uri: str) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError) as error:
        raise InputError(f"{uri}: the file can't be read ({type(error).__name__}: {error}).") from None
    except (ValueError, ImportError) as error:
        raise ConfigurationError(
            f"{uri}: Airflow can't open it ({error}). Is the provider for it installed, like "
            "apache-airflow-providers-amazon[s3fs]?"
        ) from None


def _split(uri: str) -> tuple[str, str]:
    """Part a URI before the first part of its path that has a pattern in it."""
    scheme, _, rest = uri.partition("://")
    parts = rest.split("/")
    first = next(number for number, part in enumerate(parts) if number and _PATTERN.search(part))
    return f"{scheme}://{'/'.join(parts[:first])}/", "/".join(parts[first:])
