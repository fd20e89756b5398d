"""``orjson.dumps`` of dictionaries that are ready to be sent: every value is text already, or a float."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from benchmarks.inputs.dictionaries import dictionaries
from benchmarks.programs.chunks import CHUNK_ROWS

if TYPE_CHECKING:
    from benchmarks.model import Input, Sink, Work


def prepare(given: Input) -> Work:
    """Return what encodes a list of dictionaries."""
    records = list(dictionaries(given.path, numbers=str))
    rows = CHUNK_ROWS[given.shape]

    def work(sink: Sink) -> None:
        for start in range(0, len(records), rows):
            sink(orjson.dumps({"records": records[start : start + rows]}))

    return work
