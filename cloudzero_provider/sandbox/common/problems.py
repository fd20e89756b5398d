"""The rules a body breaks: the first few in words, the rest as a number."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

MOST_TOLD = 10
_LONGEST_NAME = 80


@dataclass
class Problems:
    """Collects what is wrong with a body."""

    shown: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, problem: str) -> None:
        self.count += 1
        if self.count <= MOST_TOLD:
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
    """A name from the request as one line of printable text that cannot blow up a message."""
    plain = json.dumps(text)[1:-1]
    return plain if len(plain) <= _LONGEST_NAME else f"{plain[:_LONGEST_NAME]}..."
