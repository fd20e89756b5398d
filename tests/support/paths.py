"""Paths, and the environment of processes that import this package."""

from __future__ import annotations

import os
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
ROOT = TESTS.parent


def environment(**more: str) -> dict[str, str]:
    """Return this process's environment with ``support`` on the ``PYTHONPATH``."""
    paths = [str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **more}
