"""What the fields of the settings are made of."""

from __future__ import annotations

from dataclasses import field
from enum import Enum
from typing import Any


class Permission(Enum):
    """Whether something is taken."""

    ACCEPT = "accept"
    REFUSE = "refuse"


def one_of(default: int, *others: int) -> Any:
    """A number out of a few."""
    return field(default=default, metadata={"choices": (default, *others)})


def at_least(minimum: int, default: float) -> Any:
    """A number that is not too small."""
    return field(default=default, metadata={"minimum": minimum})
