"""
The streams of a distributed run, and what its DAG is given.

Workers have a copy of this module and of the DAG, and nothing else of the script that checks them.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from enum import Enum

DAG_ID = "distributed_streams"
BUCKET = "acme-bills"
S3_CONNECTION = "acme_s3"
#: The environment variable that holds ``Given``, as JSON.
GIVEN = "DISTRIBUTED_STREAMS"


class Kind(Enum):
    """What a stream holds."""

    BILL = "bill"
    METRIC = "metric"
    ALLOCATION = "allocation"


@dataclass(frozen=True)
class Stream:
    """An AnyCost stream or a telemetry stream."""

    kind: Kind
    number: int

    @property
    def name(self) -> str:
        """Its name; an AnyCost stream's is its id, too."""
        return f"{self.kind.value}-{self.number:02d}"

    @property
    def pool(self) -> str:
        """The pool of all tasks that send requests on it."""
        return f"cloudzero_{self.name}"

    def key(self, month: str) -> str:
        """The name of a month's file in the bucket."""
        return f"{self.name}/{month}.csv"


@dataclass(frozen=True)
class Given:
    """
    What the DAG is given.

    :param bills: number of AnyCost streams.
    :param telemetry: number of telemetry streams.
    :param months: number of months.
    :param retries: of each task.
    :param retry_seconds: between two attempts.
    :param poke_seconds: between two checks of a sensor.
    :param body_bytes: of one request with rows of a bill.
    :param batch_records: of one request with telemetry.
    """

    bills: int
    telemetry: int
    months: int
    retries: int
    retry_seconds: float
    poke_seconds: float
    body_bytes: int
    batch_records: int

    def as_json(self) -> str:
        """For the environment variable."""
        return json.dumps(asdict(self))

    def streams(self) -> list[Stream]:
        """All streams."""
        kinds = (Kind.METRIC, Kind.ALLOCATION)
        bills = [Stream(Kind.BILL, number) for number in range(1, self.bills + 1)]
        return bills + [Stream(kinds[number % 2], number) for number in range(1, self.telemetry + 1)]

    def month_names(self) -> list[str]:
        """The months, oldest first; the last one is December 2025."""
        last = 2025 * 12 + 11
        return [f"{month // 12}-{month % 12 + 1:02d}" for month in range(last - self.months + 1, last + 1)]


def given() -> Given:
    """What the DAG is given here."""
    return Given(**json.loads(os.environ[GIVEN]))
