"""Claims without a DAG run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloudzero_provider.claims import Write


class Claimed:
    """Claims that remember what was claimed and withdrawn."""

    def __init__(self) -> None:
        self.writes: list[Write] = []
        self.withdrawn = 0

    def claim(self, write: Write) -> None:
        self.writes.append(write)

    def nothing_written(self) -> None:
        self.withdrawn += 1
