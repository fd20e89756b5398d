"""How far a stream has come, and how its batches ripen one by one."""

from __future__ import annotations

import pytest


def values(reply):
    assert reply.status_code == 200, reply.text
    return [record["value"] for record in reply.json()["records"]]


def status(cloudzero, name="orders"):
    return cloudzero.telemetry()[name]["status"]


def test_the_status_follows_the_times_of_the_reads(cloudzero):
    cloudzero.set(submitted_after_seconds=0.4, processed_after_seconds=0.9)
    cloudzero.send([cloudzero.metric()])
    seen = []

    def is_available():
        found = status(cloudzero)
        seen.extend([found] if found not in seen else [])
        return found == "Available"

    cloudzero.wait_for(is_available)
    assert seen == ["Pending", "Loading", "Available"]
    cloudzero.send([cloudzero.metric()])
    assert is_available()


def test_a_stream_with_a_broken_dimension_is_invalid_until_it_is_healthy_again(cloudzero):
    cloudzero.set(processed_after_seconds=0)
    for name in ("orders", "other"):
        cloudzero.send([cloudzero.metric()], name=name)
    cloudzero.set(invalid_streams="no.such, orders")
    assert (status(cloudzero), status(cloudzero, "other")) == ("Invalid", "Available")
    page = cloudzero.session.get(f"{cloudzero.url}/").text
    assert (page.count("Invalid"), page.count("Available")) == (1, 1)
    cloudzero.set(invalid_streams="")
    assert status(cloudzero) == "Available"
    assert "Invalid" not in cloudzero.session.get(f"{cloudzero.url}/").text


def test_an_invalid_stream_receives_and_processes_records(cloudzero):
    cloudzero.set(invalid_streams="orders", processed_after_seconds=0.5)
    assert cloudzero.send([cloudzero.metric(1)]).status_code == 200
    assert values(cloudzero.submitted()) == [1]
    assert values(cloudzero.processed()) == []
    cloudzero.wait_for(lambda: values(cloudzero.processed()) == [1])
    assert status(cloudzero) == "Invalid"


def test_an_invalid_stream_stays_invalid_after_a_restart(start):
    sandbox, cloudzero = start()
    cloudzero.set(invalid_streams="orders")
    cloudzero.send([cloudzero.metric()])
    sandbox.end()
    _, cloudzero = start()
    assert status(cloudzero) == "Invalid"


def test_reads_have_no_status_by_default(cloudzero):
    cloudzero.send([cloudzero.metric()])
    assert [list(reply.json()) for reply in (cloudzero.submitted(), cloudzero.processed())] == [["records"]] * 2


@pytest.mark.parametrize(("choice", "invalid", "loading"), [
    ("word", "Invalid", "Loading"),
    ("lower_case", "invalid", "loading"),
])  # fmt: skip
def test_reads_can_include_the_status(cloudzero, choice, invalid, loading):
    cloudzero.set(records_status=choice, records_wrapper="data", processed_after_seconds=60)
    cloudzero.send([cloudzero.metric(7)])
    for word, streams in ((loading, ""), (invalid, "orders")):
        cloudzero.set(invalid_streams=streams)
        submitted, processed = cloudzero.submitted().json(), cloudzero.processed().json()
        assert (submitted["status"], [record["value"] for record in submitted["data"]]) == (word, [7])
        assert processed == {"status": word, "data": []}


def test_a_list_without_a_wrapper_has_no_status(cloudzero):
    cloudzero.set(records_status="word", unknown_stream_read="200_empty")
    assert cloudzero.processed("none").json() == {"records": []}
    cloudzero.send([cloudzero.metric()])
    cloudzero.set(records_wrapper="list")
    assert cloudzero.processed().json() == []


def test_each_batch_is_processed_separately_in_an_available_stream(cloudzero):
    cloudzero.set(submitted_after_seconds=0.4, processed_after_seconds=1)
    cloudzero.send([cloudzero.metric(1)])
    cloudzero.wait_for(lambda: status(cloudzero) == "Available")
    cloudzero.send([cloudzero.metric(2, "2024-09-02")])
    assert (values(cloudzero.submitted()), values(cloudzero.processed())) == ([1], [1])
    cloudzero.wait_for(lambda: values(cloudzero.submitted()) == [2, 1])
    cloudzero.send([cloudzero.metric(3, "2024-09-03")])
    assert (values(cloudzero.submitted()), values(cloudzero.processed())) == ([2, 1], [1])
    cloudzero.wait_for(lambda: values(cloudzero.processed()) == [2, 1])
    assert status(cloudzero) == "Available"
    cloudzero.wait_for(lambda: values(cloudzero.processed()) == [3, 2, 1])


def test_a_replaced_value_is_returned_until_its_replacement_is_processed(cloudzero):
    cloudzero.set(processed_after_seconds=0.8)
    cloudzero.send([cloudzero.metric(1), cloudzero.metric(5, "2024-09-02")], "replace")
    cloudzero.wait_for(lambda: values(cloudzero.processed()) == [5, 1])
    seen = []
    for value in (2, 3):
        cloudzero.send([cloudzero.metric(value)], "replace")
        assert values(cloudzero.submitted())[0] == value

    def is_processed(value):
        found = values(cloudzero.processed())
        seen.extend([found] if found not in seen else [])
        return found == [value, 5]

    cloudzero.wait_for(lambda: is_processed(3))
    assert seen in ([[5, 1], [2, 5], [3, 5]], [[5, 1], [3, 5]]), "the old value first, and never two values at once"
    cloudzero.send([cloudzero.metric(3)], "replace")
    assert is_processed(3), "the same value once more is there all along"
