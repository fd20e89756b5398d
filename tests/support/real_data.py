"""Real bills, which are no part of the project: tests of them are left out where they are not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("CLOUDZERO_TEST_DATA") or Path(__file__).parents[2] / "shared" / "data")


def real_data(name: str) -> Path:
    """Where a file of real data is."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"{name} is not on this machine: set CLOUDZERO_TEST_DATA to the folder that holds it")
    return path
