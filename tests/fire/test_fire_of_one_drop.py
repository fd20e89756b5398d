"""That the world works in which tasks come under fire: a drop, a loss, a kill."""

from __future__ import annotations

import time

from support.fire.script import Fate, Killed, Script, Stop
from support.sandbox_server import STREAM
from support.tasks import send

MONTH = f"/v2/connections/billing/anycost/{STREAM}/billing_drops/2026-03"
ROWS = [{"time/usage_start": f"2026-03-{day:02d}", "cost/cost": f"{day}.25"} for day in range(1, 10)]


def held(world):
    reply = world.request("GET", MONTH)
    return sorted(row["cost/cost"] for row in reply.json()["billing_drop"]) if reply.ok else []


def given():
    return sorted(row["cost/cost"] for row in ROWS)


def test_a_lost_drop_is_applied_a_simulated_minute_later(world):
    world.reset()
    began = time.monotonic()
    ending = world.run(lambda: send(records=ROWS), Script([Fate(), Fate("lose_reply_then_apply", seconds=59)]))
    assert ending.result["rows"] == 9
    assert (ending.fired, ending.seconds) == (1, 60)
    late, again = ending.requests[1:]
    assert (late["applied_at"] - late["started"], again["started"] - late["started"]) == (59, 60)
    assert not again["overlapped"]
    assert held(world) == given()
    assert time.monotonic() - began < 30


def test_the_request_of_a_killed_worker_is_still_applied(world):
    world.reset()
    script = Script([Fate(), Fate("lose_reply_then_apply", seconds=20)], Stop("request", 1, "during"))
    ending = world.run(lambda: send(records=ROWS, max_body_bytes=300), script)
    assert isinstance(ending.raised, Killed)
    assert (ending.seconds, len(ending.requests)) == (0, 2)
    assert world.requests()[1]["ended"] is None
    world.wait(20)
    assert world.requests()[1]["applied"]
    assert 0 < len(held(world)) < 9


def test_a_reply_slower_than_the_timeout_is_lost(world):
    world.reset(timeout=30)
    ending = world.run(lambda: send(records=ROWS), Script([Fate(), Fate("slow", seconds=29)]))
    assert ending.seconds == 29
    ending = world.run(lambda: send(records=ROWS), Script([Fate(), Fate("slow", seconds=50)]))
    assert ending.seconds == 60
    assert [request["ended"] - request["started"] for request in ending.requests] == [0, 50, 0]
    assert held(world) == given()
