"""``sum`` of billing drops: never counted higher than the truth, and told where it may be lower."""

from __future__ import annotations

import random

import pytest
from support.state_stores import Store
from support.tasks import connect, send as send_drops

from cloudzero_provider import exceptions as errors

ROWS = [{"time/usage_start": f"2026-03-{day:02d}", "cost/cost": f"{day}.25"} for day in range(1, 32)]


def send(store, *, try_number=1, rows=ROWS):
    adding = {"operation": "sum", "retries": 5, "max_body_bytes": 300}
    return send_drops(records=rows, try_number=try_number, store=store, **adding)


def held(sandbox):
    return len(sandbox.held())


def test_a_retry_leaves_out_what_was_acknowledged(sandbox, monkeypatch):
    store = Store()
    connect(monkeypatch, sandbox, max_retry_seconds=0)
    sandbox.faults({"kind": "refuse", "status": 429, "skip": 4})
    with pytest.raises(errors.RateLimitError, match=r"has applied 4 of \d+ requests"):
        send(store)
    before = held(sandbox)
    assert 0 < before < 31
    send(store, try_number=2)
    assert held(sandbox) == 31
    assert sorted(row["cost/cost"] for row in sandbox.rows("2026-03")) == sorted(row["cost/cost"] for row in ROWS)
    assert store["cloudzero_sum"]["intent"] is None


def test_a_retry_stops_where_a_request_was_open_or_the_rows_are_others(sandbox):
    store = Store()
    sandbox.faults({"kind": "apply_then_lose_reply", "skip": 3})
    with pytest.raises(errors.AmbiguousWriteError):
        send(store)
    before = held(sandbox)
    with pytest.raises(errors.AmbiguousWriteError, match=r"request 4 \(the same in this attempt\) was in flight"):
        send(store, try_number=2)
    with pytest.raises(errors.AmbiguousWriteError, match="the input has changed"):
        send(store, try_number=3, rows=[{**ROWS[0], "cost/cost": "9"}, *ROWS[1:]])
    with pytest.raises(errors.AmbiguousWriteError, match="the input has changed"):
        send(store, try_number=3, rows=ROWS[:2])
    assert held(sandbox) == before


@pytest.mark.parametrize("seed", range(12))
def test_no_row_is_ever_counted_twice(sandbox, monkeypatch, seed):
    connect(monkeypatch, sandbox, max_retry_seconds=2, settle_seconds=0.3)
    draw, store = random.Random(seed), Store()
    kinds = [
        {"kind": "apply_then_lose_reply"},
        {"kind": "lose_request"},
        {"kind": "lose_reply_then_apply", "seconds": 0.2},
        {"kind": "cut_reply"},
        *({"kind": "refuse", "status": status} for status in (429, 429, 429, 503, 500, 400)),
    ]
    sandbox.faults(*({**draw.choice(kinds), "skip": draw.randint(0, 15)} for _ in range(draw.randint(1, 3))))
    failed = None
    for try_number in range(1, 5):
        try:
            send(store, try_number=try_number)
            failed = None
            break
        except errors.CloudZeroError as error:
            failed = error
    sandbox.clear_faults()
    costs = [row["cost/cost"] for row in sandbox.rows("2026-03")] if held(sandbox) else []
    assert len(set(costs)) == len(costs)
    if failed is None:
        assert sorted(costs) == sorted(row["cost/cost"] for row in ROWS)
    else:
        assert "has applied" in str(failed) or "No request" in str(failed)
