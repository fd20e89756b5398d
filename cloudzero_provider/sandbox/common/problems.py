"""The rules that a body breaks: the first few in full, the rest as a count."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

MAX_SHOWN = 10
_MAX_NAME_LENGTH = 80


@dataclass
class Problems:
    """Collects the problems of a body."""

    shown: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, problem: str) -> None:
        self.count += 1
        if self.count <= MAX_SHOWN:
            self.shown.append(problem)

    def add_for_row(self, index: int, column: str, rule: str) -> None:
        self.add(f"row {index}, {shortened(column)}: {rule}")

    def add_for_record(self, index: int, name: str, rule: str) -> None:
        self.add(f"record {index}, {shortened(name)}: {rule}")

    def as_list(self) -> list[str]:
        not_shown = self.count - len(self.shown)
        return [*self.shown, f"and {not_shown} more"] if not_shown else list(self.shown)

    def as_text(self) -> str:
        return "; ".join(self.as_list())


def shortened(text: str) -> str:
    """Escape and shorten a name from the request for an error message."""
    plain = json.dumps(text)[1:-1]
    return plain if len(plain) <= _MAX_NAME_LENGTH else f"{plain[:_MAX_NAME_LENGTH]}..."
