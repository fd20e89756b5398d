"""What CloudZero may do with telemetry records, set to each possibility."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest


@pytest.fixture(autouse=True)
def _at_once(cloudzero):
    cloudzero.set(processed_after_seconds=0)


def refusal(reply):
    assert reply.status_code == 400, reply.text
    return reply.text


def test_a_limit_on_records_refuses_the_whole_request(cloudzero):
    cloudzero.set(telemetry_record_limit=2)
    records = [cloudzero.metric(timestamp=f"2024-09-{day:02}") for day in (1, 2, 3)]
    assert "3 records; the limit is 2" in refusal(cloudzero.send(records))
    assert cloudzero.telemetry() == {}
    assert cloudzero.send(records[:2]).status_code == 200


@pytest.mark.parametrize(
    ("zeros", "status", "values"), [("refuse", 400, None), ("accept", 200, ["0", "1"]), ("ignore", 200, ["1"])]
)
def test_a_value_of_zero(cloudzero, zeros, status, values):
    cloudzero.set(zero_values=zeros)
    reply = cloudzero.send([cloudzero.metric(0, "2024-09-01"), cloudzero.metric(1, "2024-09-02")])
    assert reply.status_code == status
    assert (cloudzero.values() if cloudzero.telemetry() else None) == values
    assert cloudzero.send([cloudzero.metric(-1)]).status_code == 400


def test_timestamps_too_far_in_the_past(cloudzero):
    days_ago = lambda days: (datetime.now(timezone.utc) - timedelta(days=days)).isoformat(timespec="seconds")  # noqa: E731
    cloudzero.set(past_days=90)
    assert "too far in the past" in refusal(cloudzero.send([cloudzero.metric(timestamp=days_ago(91))]))
    assert cloudzero.send([cloudzero.metric(timestamp=days_ago(89))]).status_code == 200


def test_timestamps_without_an_offset(cloudzero):
    times = ["2024-09-01T20:00:00", "2024-09-01T20:00:00Z", "2024-09-01T20:00:00+00:00"]
    shown = {}
    for meaning in ("utc", "organization", "refuse"):
        cloudzero.set(naive_timestamps=meaning)
        name = f"of-{meaning}"
        replies = [cloudzero.send([cloudzero.metric(timestamp=text)], name=name).status_code for text in times]
        held = cloudzero.own("GET", f"telemetry/{name}/records").json()["records"]
        shown[meaning] = (replies[0], [(record["timestamp"][:10], record["value"]) for record in held])
    assert shown == {
        "utc": (200, [("2024-09-01", "3")]),
        "organization": (200, [("2024-09-01", "2"), ("2024-09-02", "1")]),
        "refuse": (400, [("2024-09-01", "2")]),
    }


def test_the_granularity_of_a_metric_is_validated_ignored_or_refused(cloudzero):
    monthly = cloudzero.metric(timestamp="2024-09-05", granularity="MONTHLY")
    cloudzero.set(metric_granularity="refuse")
    assert "granularity" in refusal(cloudzero.send([monthly]))
    cloudzero.set(metric_granularity="ignore")
    cloudzero.send([monthly, cloudzero.metric(timestamp="2024-09-06", granularity="HOURLY")], name="ignored")
    cloudzero.set(metric_granularity="validate")
    cloudzero.send([monthly], name="validated")
    assert "HOURLY" not in refusal(cloudzero.send([cloudzero.metric(granularity="HOURLY")]))
    assert {name: stream["granularity"] for name, stream in cloudzero.telemetry().items()} == {
        "ignored": "DAILY",
        "validated": "MONTHLY",
    }


def test_whether_an_allocation_requires_a_filter_is_a_setting(cloudzero):
    cloudzero.set(allocation_filter="required")
    assert "filter: is required" in refusal(cloudzero.send([cloudzero.allocation()], kind="allocation"))
    assert cloudzero.send([cloudzero.allocation(filter={})], kind="allocation").status_code == 200
    period = {"timestamp": "2024-09-01", "granularity": "DAILY"}
    assert cloudzero.send([period], "delete", kind="allocation").status_code == 201, "a delete needs none"


def test_whether_stream_names_are_case_sensitive_is_a_setting(cloudzero):
    for case, names in (("sensitive", ["Orders", "orders"]), ("folded", ["orders"])):
        cloudzero.own("POST", "reset", json={})
        cloudzero.set(stream_name_case=case)
        cloudzero.send([cloudzero.metric(1)], name="Orders")
        cloudzero.send([cloudzero.metric(2)], name="orders")
        assert sorted(cloudzero.telemetry()) == names
    assert cloudzero.processed("ORDERS").json()["records"][0]["value"] == 3


@pytest.mark.parametrize(("place", "statuses"), [("body", [200, 400]), ("query", [400, 200]), ("absent", [400, 400])])
def test_the_place_of_force_is_a_setting(cloudzero, place, statuses):
    cloudzero.set(force_parameter=place)
    url = cloudzero.telemetry_url("orders")
    found = []
    for options in ({"json": {"force": True}}, {"params": {"force": "true"}}):
        cloudzero.own("POST", "reset", json={})
        cloudzero.send([cloudzero.metric()])
        found.append(cloudzero.session.delete(url, timeout=10, **options).status_code)
        assert ("orders" in cloudzero.telemetry()) == (found[-1] == 400)
    assert found == statuses


def test_names_of_fields_and_values_of_records(cloudzero):
    cloudzero.set(records_field_names="hyphen", records_value="string")
    cloudzero.send([cloudzero.allocation(1.5, element='"value":1,', filter={"element_name": ["a"]})], kind="allocation")
    assert cloudzero.processed().json()["records"] == [
        {
            "timestamp": "2024-09-01T00:00:00+00:00",
            "granularity": "DAILY",
            "element-name": '"value":1,',
            "filter": {"element_name": ["a"]},
            "value": "1.5",
        }
    ]
