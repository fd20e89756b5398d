"""Reads the folder of an AnyCost Bucket connection as CloudZero's documentation says, without the package's own code."""

from __future__ import annotations

import csv
import gzip
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

MARCH_FOLDER = "20260301-20260401"


class FolderReader:
    """A root in a local folder."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    def files(self) -> dict[str, bytes]:
        """Key below the root → content."""
        paths = [path for path in self.root.rglob("*") if path.is_file()]
        return {path.relative_to(self.root).as_posix(): path.read_bytes() for path in paths}

    def put(self, key: str, content: bytes) -> None:
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def remove(self, key: str) -> None:
        (self.root / key).unlink()


class S3Reader:
    """A root in a bucket of moto's server."""

    def __init__(self, server: Any, bucket: str, root: str) -> None:
        self.client, self.bucket, self.root = server.client, bucket, root

    def files(self) -> dict[str, bytes]:
        """Key below the root → content."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=f"{self.root}/")
        keys = [each["Key"] for page in pages for each in page.get("Contents", ())]
        return {key[len(self.root) + 1 :]: self._read(key) for key in keys}

    def _read(self, key: str) -> bytes:
        content: bytes = self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return content

    def put(self, key: str, content: bytes) -> None:
        self.client.put_object(Bucket=self.bucket, Key=f"{self.root}/{key}", Body=content)

    def remove(self, key: str) -> None:
        self.client.delete_object(Bucket=self.bucket, Key=f"{self.root}/{key}")


def current_drop(files: dict[str, bytes], folder: str = MARCH_FOLDER) -> str | None:
    """The drop that the manifest names."""
    content = files.get(f"{folder}/manifest.json")
    return None if content is None else str(json.loads(content)["current_drop_id"])


def drops(files: dict[str, bytes], folder: str = MARCH_FOLDER) -> list[str]:
    """The ids of all drops that have a file, in order."""
    return sorted({key.split("/")[1] for key in files if key.startswith(f"{folder}/") and key.endswith(".csv.gz")})


def held_rows(files: dict[str, bytes], folder: str = MARCH_FOLDER) -> list[dict[str, str]]:
    """What CloudZero takes: the rows of the current drop, files by name, without blank cells."""
    prefix = f"{folder}/{current_drop(files, folder)}/"
    rows: list[dict[str, str]] = []
    for key in sorted(key for key in files if key.startswith(prefix) and key.endswith(".csv.gz")):
        text = gzip.decompress(files[key]).decode()
        rows += [{name: cell for name, cell in row.items() if cell} for row in csv.DictReader(io.StringIO(text))]
    return rows


def held_cost(files: dict[str, bytes], folder: str = MARCH_FOLDER) -> Decimal:
    """The exact total cost of these rows."""
    return sum((Decimal(row["cost/cost"]) for row in held_rows(files, folder)), Decimal(0))
