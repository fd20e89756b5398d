from __future__ import annotations

import hashlib
import json


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


def test_superseded_records_are_not_returned_as_processed(cloudzero):
    cloudzero.set(processed_after_seconds=0)
    for value in range(1, 6):
        cloudzero.send([cloudzero.metric(value)], "replace")
        assert [record["value"] for record in cloudzero.processed().json()["records"]] == [value]


def test_a_hundred_thousand_records(cloudzero):
    days = [f"2024-09-{day:02}" for day in range(1, 31)]
    for start in range(0, 100_000, 5_000):
        records = [
            cloudzero.allocation(1, days[number % 30], f"element-{number}", filter={"custom:Env": ["prod"]})
            for number in range(start, start + 5_000)
        ]
        assert cloudzero.send(records, "replace", kind="allocation").status_code == 200
    stream = cloudzero.telemetry()["orders"]
    assert (stream["records"], stream["total"]) == (100_000, "100000")
    assert len(cloudzero.values()) == 100_000
