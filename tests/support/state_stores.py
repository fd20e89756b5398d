"""What Airflow keeps over the tries of a task, without Airflow: it only takes JSON, and survives a kill."""

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
    """In a file, whole or not at all."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def get(self, key: str) -> Any:
        return json.loads(self._path.read_text()) if self._path.exists() else None

    def set(self, key: str, value: Any) -> None:
        unfinished = self._path.with_suffix(".new")
        unfinished.write_text(json.dumps(value))
        os.replace(unfinished, self._path)
