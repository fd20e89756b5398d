"""The page is there whatever the sandbox was sent."""

from __future__ import annotations

import re

import pytest


def page(cloudzero, **query):
    reply = cloudzero.session.get(f"{cloudzero.url}/", params=query, timeout=60)
    assert reply.status_code == 200, reply.text[:500]
    return reply.text


#: The only script: a file of the sandbox.
SCRIPT = '<script src="/sandbox/page/script.js" defer></script>'

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
    heights = [float(height) for height in re.findall(r'height="([\d.]+)"><title>2024-08', shown)][:4]
    assert heights[0] == heights[1] > 50
    assert heights[2:] == [0, 0]
    assert "1.000e+1000000" in shown


@pytest.mark.parametrize("value", [1e308, 1e-308, "1e308", "0.000000000000001", "9" * 308])
def test_a_telemetry_value_of_any_size(cloudzero, value):
    assert cloudzero.send([cloudzero.metric(value), cloudzero.metric(1, "2024-09-02")]).status_code == 200
    assert "orders, 2024-09" in page(cloudzero)


def test_any_text_is_escaped(cloudzero):
    odd = "<script>alert(1)</script>'\"&\u2028\u0000\U0001f600" + "x" * 5_000
    cloudzero.post([cloudzero.row(**{"resource/id": odd})])
    cloudzero.send([cloudzero.allocation(1, element=odd, filter={odd: [odd]})], kind="allocation")
    cloudzero.session.get(f"{cloudzero.url}/v2/%ff%00{'y' * 5_000}<script>")
    cloudzero.session.get(f"{cloudzero.url}/v2/x", headers={"User-Agent": b"\xff\xfe\xed\xa0\x80"})
    assert "<script>" not in page(cloudzero, stream=odd, month="\ud83d".encode("utf-8", "surrogatepass"))
    shown = page(cloudzero, telemetry="orders", requests=f"billing/{odd[:200]}", period=odd[:200])
    assert shown.replace(SCRIPT, "").count("<script") == 0
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&#x27;&quot;&amp;" in shown


@pytest.mark.parametrize("month", ["0001-01", "9999-12", "2024-02"])
def test_the_first_and_the_last_month(cloudzero, month):
    assert cloudzero.post([cloudzero.row("1", f"{month}-01T00:00:00Z")], month=month).status_code == 200
    assert f"Cost by day, {month}" in page(cloudzero)


def test_refused_requests(cloudzero):
    assert cloudzero.post([cloudzero.row("9" * 1_000_000 + "x")]).status_code == 400
    assert cloudzero.post_raw(b'{"data": ' + b"9" * 1_000_000 + b"}").status_code == 400
    assert (
        cloudzero.send_raw(
            b'{"records": [{"timestamp": "2024-09-01", "value": ' + b"9" * 1_000_000 + b"}]}"
        ).status_code
        == 400
    )
    assert "No billing drops yet" in page(cloudzero)


def test_the_page_shows_months_and_escapes_what_was_sent(cloudzero):
    cloudzero.post([cloudzero.row("1234.50"), cloudzero.row("-0.25", "2024-08-17T00:00:00Z")])
    cloudzero.session.headers["User-Agent"] = "<script>"
    cloudzero.session.get(f"{cloudzero.url}/v2/<script>&b?<b>")
    reply = cloudzero.session.get(f"{cloudzero.url}/?stream={cloudzero.STREAM}&month=2024-08")
    assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "1,234.25" in reply.text
    assert "2024-08-16: 1,234.50" in reply.text
    assert reply.text.count(SCRIPT) == 1
    assert "<script" not in reply.text.replace(SCRIPT, "")
    assert "&amp;b" in reply.text
    assert not re.search(r"(src|href)=.?(https?:)?//", reply.text)


def test_the_page_shows_telemetry_and_escapes_it(cloudzero):
    page = cloudzero.session.get(f"{cloudzero.url}/").text
    assert "No telemetry yet." in page
    cloudzero.send([cloudzero.metric("1234.5", "2024-09-02"), cloudzero.metric(2, "2024-09-03")])
    cloudzero.send([cloudzero.allocation(element="<script>")], kind="allocation", name="shared-db")
    page = cloudzero.session.get(f"{cloudzero.url}/").text
    for shown in ("orders", "shared-db", "1,236.5", "2024-09-02: 1,234.5", "Value by day in 2024-09", "Loading"):
        assert shown in page
    assert "<script" not in page.replace(SCRIPT, "")
    page = cloudzero.session.get(f"{cloudzero.url}/?telemetry=shared-db").text
    assert "&lt;script&gt;" in page
    assert "<script" not in page.replace(SCRIPT, "")
    cloudzero.set(processed_after_seconds=0)
    assert "Available" in cloudzero.session.get(f"{cloudzero.url}/").text
