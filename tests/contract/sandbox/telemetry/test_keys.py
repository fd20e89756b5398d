from __future__ import annotations

import pytest

API = {"custom:API": "a"}


def test_at_most_five_keys(cloudzero):
    five = {f"tag:k{number}": "v" for number in range(5)}
    assert cloudzero.send([cloudzero.metric(associated_cost=five)]).status_code == 200
    reply = cloudzero.send([cloudzero.metric(associated_cost={**five, "accounts": "1"})])
    assert (reply.status_code, "has 6 keys, the limit is 5" in reply.text) == (400, True)


def test_at_most_twenty_values(cloudzero):
    twenty = [str(number) for number in range(20)]
    good = cloudzero.allocation(filter={"accounts": twenty, "services": ["s"]})
    assert cloudzero.send([good], kind="allocation").status_code == 200
    for values in ([*twenty, "20"], ["a"] * 21):
        reply = cloudzero.send([cloudzero.allocation(filter={"accounts": values})], kind="allocation", name="new")
        assert (reply.status_code, "an array of up to 20 strings" in reply.text) == (400, True)
    assert list(cloudzero.telemetry()) == ["orders"]


@pytest.mark.parametrize(
    "keys", [None, [], "x", "*", 1, {"": "a"}, {"k": ["a"]}, {"k": 1}, {"k": None}, {"k": "\ud800"}, {"\ud800": "a"}]
)
def test_the_keys_of_a_metric_have_one_string_each(cloudzero, keys):
    reply = cloudzero.send([cloudzero.metric(associated_cost=keys)])
    assert reply.status_code == 400
    assert "record 0, associated_cost: must " in reply.json()["error"]["errors"][0]["error_message"]


@pytest.mark.parametrize(
    "keys", [None, [], "x", "", 1, {"": ["a"]}, {"k": "a"}, {"k": [1]}, {"k": [None]}, {"k": {}}, {"k": ["\ud800"]}]
)
def test_the_keys_of_an_allocation_have_arrays_of_strings(cloudzero, keys):
    reply = cloudzero.send([cloudzero.allocation(filter=keys)], kind="allocation")
    assert reply.status_code == 400
    assert "record 0, filter: must " in reply.json()["error"]["errors"][0]["error_message"]


@pytest.mark.parametrize("others", [None, {}, {"custom:Other": "a"}, {**API, "custom:Other": "a"}])
@pytest.mark.parametrize("operation", ["sum", "replace", "delete"])
def test_one_request_has_one_key_set(cloudzero, operation, others):
    cloudzero.send([cloudzero.metric(associated_cost=API)])
    second = cloudzero.metric(2) if others is None else cloudzero.metric(2, associated_cost=others)
    records = [cloudzero.metric(2, associated_cost={"custom:API": "b"}), second]
    if operation == "delete":
        records = [{name: found for name, found in record.items() if name != "value"} for record in records]
    reply = cloudzero.send(records, operation)
    assert reply.status_code == 400
    [error] = reply.json()["error"]["errors"]
    assert error["error_message"] == "record 1, associated_cost: all records must have the same filter keys"
    assert cloudzero.values() == ["1"]


def test_other_requests_may_have_other_key_sets(cloudzero):
    for keys in ({}, API, {"accounts": "1", **API}, API):
        assert cloudzero.send([cloudzero.metric(associated_cost=keys)], "replace").status_code == 200
    stream = cloudzero.telemetry()["orders"]
    assert (stream["key_sets"], stream["records"]) == ([[], ["custom:API"], ["accounts", "custom:API"]], 3)


@pytest.mark.parametrize(
    ("first", "second", "registered", "given"),
    [
        ({}, API, [], ["costcontext:API"]),
        (API, {}, ["costcontext:API"], []),
        (API, {**API, "accounts": "1"}, ["costcontext:API"], ["accounts", "costcontext:API"]),
        ({"tag:a": "1"}, {"k8s_label:b": "1"}, ["tag:a"], ["k8s_label:b"]),
    ],
)
@pytest.mark.parametrize("operation", ["sum", "replace"])
def test_a_fixed_key_set_per_stream_is_a_setting(cloudzero, operation, first, second, registered, given):
    cloudzero.set(key_set_per_stream="fixed")
    assert cloudzero.send([cloudzero.metric(associated_cost=first)], operation).status_code == 200
    reply = cloudzero.send([cloudzero.metric(associated_cost=second)], operation)
    error = reply.json()["error"]
    assert (reply.status_code, error["type"]) == (400, "UnregisteredKeySetException")
    assert error["event_details"] == {"registered_keys": registered, "record_key_set": given}
    assert cloudzero.telemetry()["orders"]["key_sets"] == [sorted(first)]
    other_values = dict.fromkeys(first, "z")
    assert cloudzero.send([cloudzero.metric(associated_cost=other_values)], operation).status_code == 200


def test_a_delete_without_keys_is_accepted_by_a_stream_with_a_fixed_set(cloudzero):
    cloudzero.set(key_set_per_stream="fixed")
    cloudzero.send([cloudzero.metric(associated_cost=API)])
    record = {"timestamp": "2024-09-01"}
    assert cloudzero.send([{**record, "associated_cost": {"accounts": "1"}}], "delete").status_code == 400
    assert cloudzero.telemetry()["orders"]["hidden"] == 0
    assert cloudzero.send([record], "delete").status_code == 201
    assert cloudzero.telemetry()["orders"]["hidden"] == 1


def test_a_deleted_stream_forgets_its_key_set(cloudzero):
    cloudzero.set(key_set_per_stream="fixed", deleted_name_seconds=0)
    cloudzero.send([cloudzero.metric()])
    cloudzero.session.delete(cloudzero.telemetry_url("orders"), json={"force": True})
    assert cloudzero.send([cloudzero.metric(associated_cost=API)]).status_code == 200


@pytest.mark.parametrize("operation", ["sum", "replace", "delete"])
def test_unknown_dimensions_are_a_setting(cloudzero, operation):
    cloudzero.send([cloudzero.metric()])
    cloudzero.set(unknown_dimensions="custom:API, CZ:K8s:Workload")
    record = cloudzero.metric(associated_cost={**API, "CZ:K8s:Workload": "w", "accounts": "1"})
    if operation == "delete":
        del record["value"]
    reply = cloudzero.send([record], operation)
    error = reply.json()["error"]
    assert (reply.status_code, error["type"]) == (400, "InvalidKeysException")
    assert error["message"] == "Could not resolve target keys to valid dimension."
    assert error["details"] == [
        "The dimension 'CZ:K8s:Workload' is not valid.",
        "The dimension 'custom:API' is not valid.",
    ]
    assert cloudzero.telemetry()["orders"]["key_sets"] == [[]]
    assert cloudzero.send([cloudzero.metric(associated_cost={"accounts": "1"})]).status_code == 200
