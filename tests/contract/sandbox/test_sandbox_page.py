"""The page is there whatever the sandbox was sent."""

from __future__ import annotations

import re

import pytest


def page(cloudzero, **query):
    reply = cloudzero.session.get(f"{cloudzero.url}/", params=query, timeout=60)
    assert reply.status_code == 200, reply.text[:500]
    return reply.text


COSTS = {
    "a million nines": "9" * 1_000_000,
    "a million nines less": "-" + "9" * 1_000_000,
    "a million zeros and a one": "0." + "0" * 1_000_000 + "1",
    "nothing": "0",
    "nothing, at length": "-0." + "0" * 1_000_000,
    "four million digits": "7" * 4_000_000 + "." + "7" * 900_000,
}


@pytest.mark.parametrize("cost", COSTS.values(), ids=COSTS)
def test_a_cost_of_any_length(cloudzero, cost):
    assert (
        cloudzero.post([cloudzero.row(cost), cloudzero.row("1", "2024-08-20T00:00:00Z")], timeout=60).status_code == 200
    )
    shown = page(cloudzero)
    assert "Cost by day, 2024-08" in shown
    assert len(shown) < 100_000
    assert not re.search(r"='-?(nan|inf)|height='-", shown.lower())


def test_costs_that_are_far_apart(cloudzero):
    costs = ["1" + "0" * 1_000_000, "-1" + "0" * 1_000_000, "0." + "0" * 1_000_000 + "1", "3"]
    rows = [cloudzero.row(cost, f"2024-08-0{day}T00:00:00Z") for day, cost in enumerate(costs, start=1)]
    assert cloudzero.post(rows, timeout=60).status_code == 200
    shown = page(cloudzero)
    heights = [float(height) for height in re.findall(r"height='([\d.]+)' rx", shown)][:4]
    assert heights[0] == heights[1] > 50
    assert heights[2:] == [0, 0]
    assert "1.000e+1000000" in shown


@pytest.mark.parametrize("value", [1e308, 1e-308, "1e308", "0.000000000000001", "9" * 308])
def test_a_value_of_telemetry_of_any_size(cloudzero, value):
    assert cloudzero.send([cloudzero.metric(value), cloudzero.metric(1, "2024-09-02")]).status_code == 200
    assert "orders, 2024-09" in page(cloudzero)


def test_texts_of_all_kinds(cloudzero):
    odd = "<script>alert(1)</script>'\"&\u2028\u0000\U0001f600" + "x" * 5_000
    cloudzero.post([cloudzero.row(**{"resource/id": odd})])
    cloudzero.send([cloudzero.allocation(1, element=odd, filter={odd: [odd]})], kind="allocation")
    cloudzero.session.get(f"{cloudzero.url}/v2/%ff%00{'y' * 5_000}<script>")
    cloudzero.session.get(f"{cloudzero.url}/v2/x", headers={"User-Agent": b"\xff\xfe\xed\xa0\x80"})
    assert "<script>" not in page(cloudzero, stream=odd, month="\ud83d".encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("month", ["0001-01", "9999-12", "2024-02"])
def test_the_first_and_the_last_month(cloudzero, month):
    assert cloudzero.post([cloudzero.row("1", f"{month}-01T00:00:00Z")], month=month).status_code == 200
    assert f"Cost by day, {month}" in page(cloudzero)


def test_what_was_refused(cloudzero):
    assert cloudzero.post([cloudzero.row("9" * 1_000_000 + "x")]).status_code == 400
    assert cloudzero.post_raw(b'{"data": ' + b"9" * 1_000_000 + b"}").status_code == 400
    assert (
        cloudzero.send_raw(
            b'{"records": [{"timestamp": "2024-09-01", "value": ' + b"9" * 1_000_000 + b"}]}"
        ).status_code
        == 400
    )
    assert "No billing drops yet" in page(cloudzero)
