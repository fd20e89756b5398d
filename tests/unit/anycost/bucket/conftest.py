"""A bucket in a local folder, and the store that writes to it."""

from __future__ import annotations

import pytest
from support.bucket_drops import FolderReader

from cloudzero_provider.anycost.bucket.local_store import LocalStore


@pytest.fixture
def bucket(tmp_path):
    return FolderReader(tmp_path / "anycost")


@pytest.fixture
def store(bucket):
    return LocalStore(str(bucket.root))
