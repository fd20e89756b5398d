"""An hour that needs several requests, when answers among them keep getting lost."""

from __future__ import annotations

import pytest
from support.tasks import connect, send

from cloudzero_provider.exceptions import HourIncompleteError

ROWS = [{"time/usage_start": "2026-03-16T13:00:00Z", "cost/cost": str(n), "lineitem/type": "Usage"} for n in range(12)]


def test_the_error_names_the_ways_out(sandbox, monkeypatch):
    connect(monkeypatch, sandbox, settle_seconds=0.1)
    sandbox.faults({"kind": "apply_then_lose_reply", "operation": "sum", "times": 4})
    with pytest.raises(HourIncompleteError, match=r"2026-03-16T13:00:00Z has 12 rows.* 4 times in a row") as error:
        send(records=ROWS, max_body_bytes=500)
    assert sandbox.armed() == []
    assert 'transform=aggregate(by=[...], period="hour") of cloudzero_provider.anycost' in str(error.value)
    assert "AnyCost Bucket connection (https://docs.cloudzero.com/docs/anycost-bucket-" in str(error.value)


@pytest.mark.parametrize("row_count_means", ["month", "request"])
def test_nothing_is_sent_twice_when_nothing_is_lost_whatever_cloudzero_counts(sandbox, row_count_means):
    sandbox.settings(row_count_means=row_count_means)
    try:
        before = {"time/usage_start": "2026-03-01T00:00:00Z", "cost/cost": "1"}
        summary = send(records=[before, *ROWS], max_body_bytes=500)
    finally:
        sandbox.settings(row_count_means="month")
    assert summary["requests"] == len(sandbox.writes()) > 3
    assert len(sandbox.rows("2026-03")) == 13
