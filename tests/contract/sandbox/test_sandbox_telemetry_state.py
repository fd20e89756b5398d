from __future__ import annotations

import hashlib
import json
import signal
import threading
import time

import pytest
import requests


def test_the_state_of_a_stream(cloudzero):
    cloudzero.set(processed_after_seconds=0)
    keys = {"custom:Team": ["b", "a"]}
    first, last = "2024-09-01T00:00:00Z", "2024-09-30T00:00:00Z"
    records = [
        cloudzero.allocation("2.50", "2024-09-30", filter=keys),
        cloudzero.allocation(1, "2024-09-01", 'é"', filter=keys),
        cloudzero.allocation(9, "2024-08-01", filter=keys),
    ]
    cloudzero.send(records, kind="allocation")
    cloudzero.send([{"timestamp": "2024-08-01", "granularity": "DAILY"}], "delete", kind="allocation")
    kept = [
        {"timestamp": first, "element_name": 'é"', "keys": {"custom:Team": ["a", "b"]}, "value": "1"},
        {"timestamp": last, "element_name": "Email", "keys": {"custom:Team": ["a", "b"]}, "value": "2.5"},
    ]
    lines = sorted(json.dumps(r, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() for r in kept)
    assert cloudzero.telemetry() == {
        "orders": {
            "kind": "allocation",
            "granularity": "DAILY",
            "status": "Available",
            "key_sets": [["custom:Team"]],
            "records": 2,
            "total": "3.5",
            "hidden": 1,
            "first": first,
            "last": last,
            "digest": hashlib.sha256(b"\n".join(lines)).hexdigest(),
        }
    }
    assert cloudzero.own("GET", "telemetry/orders/records").json() == {"records": kept}


def test_a_metric_has_no_element(cloudzero):
    cloudzero.send([cloudzero.metric(associated_cost={"k": "v"})])
    assert cloudzero.own("GET", "telemetry/orders/records").json()["records"] == [
        {"timestamp": "2024-09-01T00:00:00Z", "element_name": None, "keys": {"k": "v"}, "value": "1"}
    ]


def test_a_stream_without_visible_records(cloudzero):
    cloudzero.send([cloudzero.metric()])
    cloudzero.send([{"timestamp": "2024-09-01"}], "delete")
    stream = cloudzero.telemetry()["orders"]
    assert (stream["records"], stream["total"], stream["first"], stream["last"]) == (0, "0", None, None)
    assert stream["digest"] == hashlib.sha256(b"").hexdigest()
    assert cloudzero.own("GET", "telemetry/orders/records").json() == {"records": []}


def test_the_digest_does_not_depend_on_how_the_records_were_sent(cloudzero):
    records = [cloudzero.metric(day, f"2024-09-{day:02}") for day in range(1, 21)]
    cloudzero.send(records, "replace", "a")
    cloudzero.send(records[10:], "sum", "b")
    assert cloudzero.telemetry()["a"]["digest"] != cloudzero.telemetry()["b"]["digest"]
    cloudzero.send([{**record, "value": f"{record['value']}.00"} for record in reversed(records[:10])], "sum", "b")
    assert cloudzero.telemetry()["a"]["digest"] == cloudzero.telemetry()["b"]["digest"]


def test_records_of_no_stream(cloudzero):
    reply = cloudzero.own("GET", "telemetry/none/records")
    assert (reply.status_code, "no telemetry stream" in reply.json()["error"]["message"]) == (404, True)


def test_a_reset_forgets_telemetry_and_blocked_names(cloudzero):
    cloudzero.send([cloudzero.metric()])
    cloudzero.session.delete(cloudzero.telemetry_url("orders"), json={"force": True})
    cloudzero.send([cloudzero.metric()], name="other")
    cloudzero.own("POST", "reset")
    assert cloudzero.telemetry() == {}
    assert cloudzero.send([cloudzero.metric()]).status_code == 200
    assert len(cloudzero.submitted().json()["records"]) == 1


def test_what_was_superseded_and_processed_is_not_kept(cloudzero):
    cloudzero.set(processed_after_seconds=0)
    for value in range(1, 6):
        cloudzero.send([cloudzero.metric(value)], "replace")
        assert [record["value"] for record in cloudzero.processed().json()["records"]] == [value]


def test_the_page_shows_telemetry_and_escapes_it(cloudzero):
    page = cloudzero.session.get(f"{cloudzero.url}/").text
    assert "No telemetry yet." in page
    cloudzero.send([cloudzero.metric("1234.5", "2024-09-02"), cloudzero.metric(2, "2024-09-03")])
    cloudzero.send([cloudzero.allocation(element="<script>")], kind="allocation", name="shared-db")
    page = cloudzero.session.get(f"{cloudzero.url}/").text
    for shown in ("orders", "shared-db", "1,236.5", "2024-09-02: 1,234.5", "Value by day in 2024-09", "Loading"):
        assert shown in page
    assert "<script" not in page
    cloudzero.set(processed_after_seconds=0)
    assert "Available" in cloudzero.session.get(f"{cloudzero.url}/").text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_telemetry_survives_the_end(start, number):
    sandbox, cloudzero = start()
    cloudzero.set(processed_after_seconds=0)
    cloudzero.send(
        [cloudzero.metric("1.5", associated_cost={"k": "v"}), cloudzero.metric(2, associated_cost={"k": "w"})]
    )
    cloudzero.send([{"timestamp": "2024-09-01", "associated_cost": {"k": "w"}}], "delete")
    cloudzero.send([cloudzero.metric()], name="deleted")
    cloudzero.session.delete(cloudzero.telemetry_url("deleted"), json={"force": True})
    state, log, submitted = cloudzero.telemetry(), cloudzero.requests(), cloudzero.submitted().json()
    sandbox.end(number)

    _, cloudzero = start()
    assert (cloudzero.telemetry(), cloudzero.requests()[: len(log)]) == (state, log)
    assert cloudzero.submitted().json() == submitted
    assert cloudzero.send([cloudzero.metric()], name="deleted").status_code == 400
    cloudzero.send([cloudzero.metric(1, associated_cost={"k": "v"})])
    assert cloudzero.values() == ["2.5"]


def is_accepted(cloudzero, body):
    try:
        return cloudzero.send_raw(body, "allocation/orders/sum").status_code == 200
    except requests.ConnectionError:
        return False


def test_a_kill_in_the_middle_leaves_whole_requests_and_a_log_that_agrees(start):
    sandbox, cloudzero = start()
    records = [cloudzero.allocation(1, element=f"e{number}") for number in range(2_000)]
    body = json.dumps({"records": records})
    killer = threading.Timer(0.8, lambda: sandbox.end(signal.SIGKILL))
    killer.start()
    replies = 0
    while is_accepted(cloudzero, body):
        replies += 1
    killer.join()

    _, cloudzero = start()
    applied = sum(request["applied"] for request in cloudzero.requests())
    assert replies <= applied <= replies + 1
    stream = cloudzero.telemetry().get("orders", {"total": "0", "records": 0})
    assert stream["total"] == str(2_000 * applied)


def test_a_hundred_thousand_records(cloudzero):
    days = [f"2024-09-{day:02}" for day in range(1, 31)]
    for start in range(0, 100_000, 5_000):
        records = [
            cloudzero.allocation(1, days[number % 30], f"element-{number}", filter={"custom:Env": ["prod"]})
            for number in range(start, start + 5_000)
        ]
        assert cloudzero.send(records, "replace", kind="allocation").status_code == 200
    began = time.monotonic()
    stream = cloudzero.telemetry()["orders"]
    assert time.monotonic() - began < 5, "a second on a machine of its own"
    assert (stream["records"], stream["total"]) == (100_000, "100000")
    assert len(cloudzero.values()) == 100_000
