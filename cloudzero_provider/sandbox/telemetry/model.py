"""
Telemetry's basic types.

https://docs.cloudzero.com/docs/telemetry-send-via-api
"""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple

# "Only alphanumeric characters are allowed along with _ . and -"; \w of a schema's pattern is ASCII.
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,256}")


class StreamKind(Enum):
    """The type of a stream."""

    METRIC = "metric"
    ALLOCATION = "allocation"


class TelemetryOperation(Enum):
    """What a request does with its records."""

    SUM = "sum"
    REPLACE = "replace"
    DELETE = "delete"


class Granularity(Enum):
    """The granularity of a stream."""

    HOURLY = "HOURLY"
    DAILY = "DAILY"
    MONTHLY = "MONTHLY"


class StreamStatus(Enum):
    """The status of a stream, in CloudZero's words."""

    PENDING = "Pending"
    LOADING = "Loading"
    AVAILABLE = "Available"
    INVALID = "Invalid"


class Identity(NamedTuple):
    """
    The identity of a record within its stream.

    ``element_name`` is empty for a metric; ``keys`` is compact JSON with sorted keys.
    """

    timestamp: str
    element_name: str
    keys: str


def is_stream_name(text: str) -> bool:
    """Whether a stream can have this name."""
    return bool(_NAME.fullmatch(text))
