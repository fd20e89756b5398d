"""
What a ``replace`` replaces, read in two ways, and streams with one set of filter keys: what CloudZero then holds.

The specification says "any data within the appropriate stream that matches the supplied properties (timestamp is
minimally required)": https://docs.cloudzero.com/reference/replacemetrictelemetry
"""

from __future__ import annotations

import itertools
import json
import random

import pytest
from support import telemetry_readings
from support.attempts import hold, stopped, wait_until
from support.tasks import SETTLE_SECONDS, connect, send_telemetry, start_worker
from support.telemetry_readings import one_key_set, several_key_sets

from cloudzero_provider import exceptions as errors

NAME = "orders-per-team"
TEAM, REGION, SERVICE = "custom:Team", "region", "service"
EU = {TEAM: ["x"], REGION: ["eu"]}
US = {TEAM: ["x"], REGION: ["us"]}
#: Of one period and element: each but the last has keys that others have, too. This order is the worst.
SCOPES = ({**EU, SERVICE: ["s", "t"]}, EU, US, {TEAM: ["x"]}, {REGION: ["eu"]}, {}, {TEAM: ["x", "y"]})


@pytest.fixture(params=telemetry_readings.ALL)
def sandbox(sandbox, request):
    with telemetry_readings.read_as(sandbox, request.param):
        yield sandbox


def allocation(scope, value, day=1, element="a"):
    return {"timestamp": f"2026-03-{day:02d}", "element_name": element, "value": value, "filter": scope}


def metric(scope, value, day=1):
    scope = {key: values[0] for key, values in scope.items()}
    return {"timestamp": f"2026-03-{day:02d}", "value": value, "associated_cost": scope}


NESTED = [
    allocation(scope, 1 + number, day, element)
    for number, (scope, day, element) in enumerate(itertools.product(SCOPES, (1, 2), ("a", "b")))
]


def send(records=NESTED, **arguments):
    return send_telemetry(records=records, max_batch_records=3, **arguments)


def held(sandbox):
    return {
        said(one["timestamp"][:10], one["element_name"], one["keys"], one["value"]) for one in sandbox.records(NAME)
    }


def truth(records):
    field = "filter" if "filter" in records[0] else "associated_cost"
    return {said(one["timestamp"], one.get("element_name"), one[field], one["value"]) for one in records}


def said(period, element, keys, value):
    return period, element, json.dumps(keys, sort_keys=True), str(value)


# Several sets of keys: all records of a run are held, whichever way it is read


@several_key_sets
@pytest.mark.parametrize("seed", [None, 1, 2, 3])
def test_all_records_of_a_run_are_held_in_any_order(sandbox, seed):
    records = NESTED if seed is None else random.Random(seed).sample(NESTED, len(NESTED))
    for _ in range(2):
        assert send(records)["key_sets"] == 5
        assert held(sandbox) == truth(NESTED)
    corrected = [{**record, "value": record["value"] + 100} for record in records]
    send(corrected)
    assert held(sandbox) == truth(corrected)


@several_key_sets
def test_all_records_of_a_metric_are_held(sandbox):
    records = [metric(scope, 1 + number) for number, scope in enumerate(SCOPES[:-1])]
    send(records, stream_type="metric", granularity=None)
    assert held(sandbox) == truth(records)


@several_key_sets
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "apply_then_lose_reply"},
        {"kind": "lose_request"},
        {"kind": "lose_reply_then_apply", "seconds": SETTLE_SECONDS * 0.5},
        {"kind": "cut_reply"},
        {"kind": "refuse", "status": 503},
        {"kind": "refuse", "status": 429, "retry_after": 1},
    ],
    ids=lambda fault: fault["kind"],
)
def test_all_are_held_when_requests_of_smaller_sets_are_lost_and_repeated(sandbox, fault):
    send([{**record, "value": 99} for record in NESTED])
    sandbox.faults({**fault, "skip": 0}, {**fault, "skip": 3})
    send()
    assert sandbox.armed() == []
    assert held(sandbox) == truth(NESTED)


@several_key_sets
@pytest.mark.parametrize("applied", range(1, 8, 2))
def test_a_run_that_fails_halfway_after_one_that_succeeded_is_healed_by_its_retry(sandbox, monkeypatch, applied):
    connect(monkeypatch, sandbox, max_retry_seconds=0)
    send()
    sandbox.faults({"kind": "refuse", "status": 429, "skip": applied})
    with pytest.raises(errors.RateLimitError):
        send()
    assert held(sandbox) <= truth(NESTED)
    send(try_number=2, retries=1)
    assert held(sandbox) == truth(NESTED)


@several_key_sets
def test_a_killed_worker_is_healed_by_the_next_try(sandbox):
    send()
    sent = len(sandbox.posts())
    sandbox.faults(hold(skip=2))
    worker = start_worker("send_telemetry", records=NESTED, max_batch_records=3)
    wait_until(lambda: len(sandbox.posts()) >= sent + 3)
    worker.kill()
    worker.wait()
    sandbox.clear_faults()
    send(try_number=2, retries=1)
    assert held(sandbox) == truth(NESTED)


@several_key_sets
@pytest.mark.parametrize("begun", [1, 4])
def test_equal_records_are_exact_when_a_first_try_wakes_after_the_second_has_finished(sandbox, begun):
    sandbox.faults(hold(skip=begun - 1))
    first = start_worker("send_telemetry", records=NESTED, max_batch_records=3)
    with stopped(first, sandbox, lambda: len(sandbox.posts()) >= begun):
        send(try_number=2, retries=1)
        assert held(sandbox) == truth(NESTED)
    assert first.returncode == 0
    wait_until(lambda: all(request["ended"] for request in sandbox.requests()))
    assert held(sandbox) == truth(NESTED)


@several_key_sets
def test_periods_are_cleared_and_zeros_deleted_before_any_record_is_written(sandbox):
    send()
    kept = [record for record in NESTED if record["timestamp"] == "2026-03-02"]
    zero = allocation({**EU, SERVICE: ["s", "t"]}, 0)
    records = [zero, allocation(EU, 7), allocation({TEAM: ["x"]}, 8), allocation({}, 9), allocation({}, 3, element="b")]
    send(records, on_zero="delete", clear_periods=True)
    assert held(sandbox) == truth([*records[1:], *kept])


@several_key_sets
def test_what_is_added_goes_to_the_record_itself(sandbox):
    for _ in range(2):
        send(operation="sum")
    assert held(sandbox) == truth([{**record, "value": 2 * record["value"]} for record in NESTED])


# What a run does not name


@pytest.mark.parametrize(
    ("scope", "gone"),
    [({}, SCOPES), ({TEAM: ["x"]}, (SCOPES[0], EU, US, {TEAM: ["x"]})), (EU, (SCOPES[0], EU)), (SCOPES[-1], ())],
)
@several_key_sets
def test_a_record_replaces_those_with_more_keys_when_matching_by_properties(sandbox, request, scope, gone):
    """Of its period and element. By identity it replaces itself only."""
    send()
    send([allocation(scope, 1000)])
    replaced = gone if by_properties(request) else [scope]
    others = [one for one in NESTED if one["filter"] not in (*replaced, scope) or not is_of_first(one)]
    assert held(sandbox) == truth([*others, allocation(scope, 1000)])


def by_properties(request):
    return request.node.callspec.params["sandbox"]["replace_match"] == "properties"


def is_of_first(record):
    return (record["timestamp"], record["element_name"]) == ("2026-03-01", "a")


@several_key_sets
def test_outside_a_skipped_zero_is_gone_where_a_record_of_the_run_replaces_it_by_properties(sandbox, request):
    send([allocation(EU, 5), allocation({TEAM: ["x"]}, 6)])
    send([allocation(EU, 0), allocation({TEAM: ["x"]}, 7)], on_zero="skip")
    stays = [] if by_properties(request) else [allocation(EU, 5)]
    assert held(sandbox) == truth([*stays, allocation({TEAM: ["x"]}, 7)])


@several_key_sets
def test_outside_of_two_tasks_with_a_set_of_keys_each_the_later_one_may_wipe_the_other(sandbox, request):
    by_team = [allocation({TEAM: [team]}, 1, element=element) for team in "xy" for element in "ab"]
    for_all = [allocation({}, 2)]
    send(by_team)
    send(for_all)
    wiped = [record for record in by_team if record["element_name"] == "a"] if by_properties(request) else []
    assert held(sandbox) == truth([*(record for record in by_team if record not in wiped), *for_all])
    send(by_team)
    assert held(sandbox) == truth([*by_team, *for_all]), "what has more keys replaces nothing"


# One set of keys


def test_with_one_set_of_keys_there_is_nothing_to_read_in_two_ways(sandbox):
    """Whatever else is read, a run names the records that it replaces."""
    records = [
        allocation({TEAM: [team], REGION: [region]}, number, day)
        for number, (team, region, day) in enumerate(itertools.product("xy", ("eu", "us"), range(1, 4)), start=1)
    ]
    send(records, operation="sum")
    send(records[::-1])
    assert held(sandbox) == truth(records)
    send([{**records[0], "value": 50}, {**records[1], "value": 0}], on_zero="delete")
    assert held(sandbox) == truth([{**records[0], "value": 50}, *records[2:]])
    send(records[:2], clear_periods=True)
    assert held(sandbox) == truth([*records[:2], *(one for one in records[2:] if one["timestamp"] > "2026-03-02")])
    send([{key: records[0][key] for key in ("timestamp", "element_name", "filter")}], operation="delete")
    assert not held(sandbox) & truth(records[:1])


@one_key_set
def test_a_stream_with_a_fixed_key_set_refuses_a_mixture_and_the_error_shows_both(sandbox):
    """As documented: the error shows the stream's set, ours, and how many records have each."""
    send([allocation({TEAM: ["x"]}, 1)])
    with pytest.raises(errors.RequestRejectedError) as error:
        send([allocation({TEAM: ["x"]}, 2), allocation(EU, 3), allocation(US, 4)])
    told = str(error.value)
    assert "UnregisteredKeySetException" in told
    assert 'The stream accepts one set of filter keys, fixed by its first records: ["custom:Team"]. ' in told
    assert 'Yours: 1 record with ["custom:Team"]; 2 records with ["custom:Team", "region"]. ' in told
    assert "Send each set to its own stream" in told
    assert held(sandbox) == truth([allocation({TEAM: ["x"]}, 2)])


def test_a_mixture_can_be_refused_before_anything_is_sent(sandbox):
    with pytest.raises(errors.InputError, match=r"The records have 5 sets of filter keys \(on_mixed_keys='error'\): "):
        send(on_mixed_keys="error")
    assert sandbox.requests() == []
