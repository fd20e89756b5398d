"""The ways in which CloudZero may interpret telemetry, as settings of the sandbox; none is published."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from support.sandbox_server import SandboxServer

Reading = dict[str, Any]


def _readings(*key_sets: str) -> list[Any]:
    return [
        pytest.param({"replace_match": match, "key_set_per_stream": per_stream}, id=f"{match}-{per_stream}")
        for match in ("identity", "properties")
        for per_stream in key_sets
    ]


ALL = _readings("per_request", "fixed")
MIXED, ONE_KEY_SET = _readings("per_request"), _readings("fixed")

#: For tests that send several sets of filter keys to a stream, and for tests in which CloudZero accepts only one.
several_key_sets = pytest.mark.parametrize("sandbox", MIXED, indirect=True)
one_key_set = pytest.mark.parametrize("sandbox", ONE_KEY_SET, indirect=True)
#: For slow tests: the default, and the opposite in everything.
few_readings = pytest.mark.parametrize("sandbox", [ALL[0], ALL[-1]], indirect=True)
#: For tests that do not depend on the interpretation.
one_reading = pytest.mark.parametrize("sandbox", ALL[:1], indirect=True)


@contextmanager
def read_as(sandbox: SandboxServer, reading: Reading) -> Iterator[SandboxServer]:
    """Make a sandbox interpret telemetry this way within the block."""
    sandbox.settings(**reading)
    try:
        yield sandbox
    finally:
        sandbox.default_settings()
