"""Real bills, which are not part of the project: their tests are skipped without them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("CLOUDZERO_TEST_DATA") or Path(__file__).parents[2] / "shared" / "data")


def real_data(name: str) -> Path:
    """The path of a file of real data."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"{name} is not on this machine: set CLOUDZERO_TEST_DATA to the folder that holds it")
    return path
