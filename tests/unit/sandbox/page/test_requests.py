from __future__ import annotations

import pytest

from cloudzero_provider.sandbox.page.requests import format_seconds, format_size


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (119_431, "119 kB"), (4_500_000, "4.5 MB"), (70_000_000, "70.0 MB")],
)
def test_sizes(count, shown):
    assert format_size(count) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(-0.001, "0 ms"), (0.0004, "0 ms"), (0.012, "12 ms"), (1, "1.0 s"), (61.25, "61.2 s"), (3600, "3,600 s")],
)
def test_durations(seconds, shown):
    assert format_seconds(seconds) == shown
