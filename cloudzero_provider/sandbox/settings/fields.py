"""Building blocks of the settings' fields."""

from __future__ import annotations

from dataclasses import field
from enum import Enum
from typing import Any


class Permission(Enum):
    """Whether something is accepted."""

    ACCEPT = "accept"
    REFUSE = "refuse"


def one_of(default: int, *others: int) -> Any:
    """A field with one of a few numbers."""
    return field(default=default, metadata={"choices": (default, *others)})


def at_least(minimum: int, default: float) -> Any:
    """A field with a number of at least ``minimum``."""
    return field(default=default, metadata={"minimum": minimum})
