from __future__ import annotations

import pytest


def values(reply):
    assert reply.status_code == 200, reply.text
    return [record["value"] for record in reply.json()["records"]]


def test_submitted_records_appear_at_once_unchanged_and_newest_first(cloudzero):
    cloudzero.send([cloudzero.metric(1), cloudzero.metric("2.50", "2024-09-02T05:00:00Z")])
    cloudzero.send([cloudzero.metric(3)], "replace")
    assert cloudzero.submitted().json() == {
        "records": [
            {"timestamp": "2024-09-01T00:00:00+00:00", "granularity": "DAILY", "associated_cost": {}, "value": 3},
            {"timestamp": "2024-09-02T00:00:00+00:00", "granularity": "DAILY", "associated_cost": {}, "value": 2.5},
            {"timestamp": "2024-09-01T00:00:00+00:00", "granularity": "DAILY", "associated_cost": {}, "value": 1},
        ]
    }


def test_submitted_records_of_an_allocation_are_read_under_metric(cloudzero):
    record = cloudzero.allocation(element='é"', filter={"k": ["b", "a"]})
    cloudzero.send([record], kind="allocation")
    expected = {**record, "timestamp": "2024-09-01T00:00:00+00:00", "filter": {"k": ["a", "b"]}}
    assert cloudzero.submitted().json() == {"records": [expected]}
    cloudzero.set(processed_after_seconds=0)
    assert cloudzero.processed().json() == {"records": [expected]}


def test_processed_records_appear_later_with_their_current_values(cloudzero):
    cloudzero.set(processed_after_seconds=0.6)
    cloudzero.send([cloudzero.metric(1), cloudzero.metric(2, "2024-09-02")])
    assert values(cloudzero.processed()) == []
    cloudzero.wait_for(lambda: values(cloudzero.processed()) == [2, 1])
    cloudzero.send([cloudzero.metric(5)])
    cloudzero.send([{"timestamp": "2024-09-02"}], "delete")
    assert values(cloudzero.processed()) == [2, 1], "what is there now is not processed yet"
    assert cloudzero.values() == ["6"], "the state is never late"
    cloudzero.wait_for(lambda: values(cloudzero.processed()) == [6])
    assert values(cloudzero.submitted()) == [5, 2, 1]


def test_submitted_records_can_be_delayed_too(cloudzero):
    cloudzero.set(submitted_after_seconds=0.5)
    cloudzero.send([cloudzero.metric(1)])
    assert values(cloudzero.submitted()) == []
    cloudzero.wait_for(lambda: values(cloudzero.submitted()) == [1])


def test_the_newest_thousand_records_are_returned(cloudzero):
    cloudzero.set(processed_after_seconds=0)
    hours = [f"2024-09-{day:02}T{hour:02}:00:00Z" for day in range(1, 31) for hour in range(24)]
    records = [cloudzero.allocation(number + 1, hour, granularity="HOURLY") for number, hour in enumerate(hours)]
    more = [cloudzero.allocation(number + 1, hour, "X", granularity="HOURLY") for number, hour in enumerate(hours)]
    cloudzero.send(records, kind="allocation")
    cloudzero.send(more, kind="allocation")
    expected = [*range(720, 0, -1), *range(720, 440, -1)]
    assert values(cloudzero.submitted()) == values(cloudzero.processed()) == expected
    assert values(cloudzero.submitted(limit=3)) == values(cloudzero.processed(limit=3)) == [720, 719, 718]


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "x", "", "1.5", "١"])
def test_the_limit_is_a_number_up_to_1000(cloudzero, limit):
    cloudzero.send([cloudzero.metric()])
    assert cloudzero.submitted(limit=limit).status_code == 400
    assert cloudzero.processed(limit=limit).status_code == 400


@pytest.mark.parametrize(("choice", "status"), [("404", 404), ("400", 400), ("200_empty", 200)])
def test_an_unknown_stream(cloudzero, choice, status):
    cloudzero.set(unknown_stream_read=choice)
    for reply in (cloudzero.submitted("none"), cloudzero.processed("none")):
        assert reply.status_code == status
        assert (reply.json() == {"records": []}) == (status == 200)


@pytest.mark.parametrize("wrapper", ["records", "data", "list", "telemetry_records"])
def test_the_wrapper_is_a_setting(cloudzero, wrapper):
    cloudzero.set(records_wrapper=wrapper, records_timestamp="z", processed_after_seconds=0)
    cloudzero.send([cloudzero.metric()])
    for reply in (cloudzero.submitted(), cloudzero.processed()):
        found = reply.json() if wrapper == "list" else reply.json()[wrapper]
        assert [record["timestamp"] for record in found] == ["2024-09-01T00:00:00Z"]


def test_reading_changes_nothing(cloudzero):
    cloudzero.submitted("none")
    cloudzero.processed("none")
    assert cloudzero.telemetry() == {}
