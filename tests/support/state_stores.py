"""Stand-ins for Airflow's task state store: they accept only JSON, and survive a kill."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


class Store(dict):
    """In memory."""

    def set(self, key: str, value: Any) -> None:
        assert value is not None
        self[key] = json.loads(json.dumps(value))


class FileStore:
    """A store in a file that is written atomically."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def get(self, key: str) -> Any:
        return json.loads(self._path.read_text()) if self._path.exists() else None

    def set(self, key: str, value: Any) -> None:
        unfinished = self._path.with_suffix(".new")
        unfinished.write_text(json.dumps(value))
        os.replace(unfinished, self._path)
