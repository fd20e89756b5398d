from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

TEAM = "custom:Team"


def team(cloudzero, name, value=1, timestamp="2024-09-01", **more):
    return cloudzero.metric(value, timestamp, associated_cost={TEAM: name, **more})


def split(cloudzero, value=1, element="Email", timestamp="2024-09-01", **filters):
    return cloudzero.allocation(value, timestamp, element, filter=filters)


def test_sum_is_exact_within_and_across_requests(cloudzero):
    for _ in range(10):
        cloudzero.send([cloudzero.metric(0.1), cloudzero.metric("0.000000000000001")])
    cloudzero.send([cloudzero.metric("123456789012345")])
    assert cloudzero.values() == ["123456789012346.00000000000001"]


def test_replace_overwrites_matching_records_adds_the_rest_and_keeps_others(cloudzero):
    cloudzero.send([team(cloudzero, "a", 1), team(cloudzero, "b", 2), team(cloudzero, "c", 3)])
    cloudzero.send([team(cloudzero, "b", 20), team(cloudzero, "d", 40)], "replace")
    assert cloudzero.values() == ["1", "20", "3", "40"]
    cloudzero.send([team(cloudzero, "b", 20), team(cloudzero, "d", 40)], "replace")
    assert cloudzero.values() == ["1", "20", "3", "40"]


def test_a_sum_after_a_replace_adds_to_it(cloudzero):
    cloudzero.send([cloudzero.metric(5)])
    cloudzero.send([cloudzero.metric(7)], "replace")
    cloudzero.send([cloudzero.metric(1)])
    assert cloudzero.values() == ["8"]


@pytest.mark.parametrize(
    "records",
    [
        [{"element": "a"}, {"element": "b"}],
        [{"element": "a"}, {"element": "A"}],
        [{"timestamp": "2024-09-01"}, {"timestamp": "2024-09-02"}],
        [{"filter": {"k": ["a"]}}, {"filter": {"k": ["b"]}}],
        [{"filter": {"k": ["a"]}}, {"filter": {"k": ["a", "b"]}}],
        [{"filter": {"k": ["ab"]}}, {"filter": {"k": ["a", "b"]}}],
        [{"filter": {"k": ['a","b']}}, {"filter": {"k": ["a", "b"]}}],
    ],
)
def test_records_that_differ_in_more_than_the_value_are_distinct(cloudzero, records):
    for operation in ("sum", "replace"):
        cloudzero.send([cloudzero.allocation(**record) for record in records], operation, kind="allocation")
        assert cloudzero.values() == ["1", "1"]


@pytest.mark.parametrize(
    "records",
    [
        [{"timestamp": "2024-09-01T05:00:00Z"}, {"timestamp": "2024-09-01 23:00:00"}],
        [{"timestamp": "2024-09-01"}, {"timestamp": "2024-09-02T00:30:00+01:00"}],
        [{}, {"filter": {}}],
        [{"filter": "*"}, {"filter": {}}],
        [{"filter": {"k": ["a", "b"]}}, {"filter": {"k": ["b", "a", "b"]}}],
        [{"filter": {"k": ["a"], "l": ["b"]}}, {"filter": {"l": ["b"], "k": ["a"]}}],
    ],
)
def test_records_with_equivalent_fields_are_one(cloudzero, records):
    for record in records:
        cloudzero.send([cloudzero.allocation(**record)], kind="allocation")
    assert cloudzero.values() == ["2"]
    for value, record in enumerate(records, start=5):
        cloudzero.send([cloudzero.allocation(value, **record)], "replace", kind="allocation")
    assert cloudzero.values() == ["6"]


def test_whether_the_order_of_values_counts_is_a_setting(cloudzero):
    cloudzero.set(filter_value_order="significant")
    records = [split(cloudzero, k=["a", "b"]), split(cloudzero, k=["b", "a"])]
    cloudzero.send(records, kind="allocation")
    assert cloudzero.values() == ["1", "1"]


@pytest.mark.parametrize(
    ("choice", "status", "values"), [("last", 200, ["3"]), ("sum", 200, ["6"]), ("refuse", 400, None)]
)
def test_duplicates_in_a_replace(cloudzero, choice, status, values):
    cloudzero.set(duplicates_in_replace=choice)
    records = [cloudzero.metric(value, f"2024-09-01T0{value}:00:00Z") for value in (1, 2, 3)]
    reply = cloudzero.send(records, "replace")
    assert reply.status_code == status
    if values is None:
        told = [error["error_message"] for error in reply.json()["error"]["errors"]]
        assert [message.split(":")[0] for message in told] == ["record 1", "record 2"]
        assert cloudzero.telemetry() == {}
        assert cloudzero.send(records, "sum").status_code == 200, "a sum adds them up"
    else:
        assert cloudzero.values() == values


@pytest.mark.parametrize(
    ("keys", "replaced"),
    [
        ({}, ["none", "k=a", "k=a l=b", "k=a,c", "k=b"]),
        ("*", ["none", "k=a", "k=a l=b", "k=a,c", "k=b"]),
        (None, ["none", "k=a", "k=a l=b", "k=a,c", "k=b"]),
        ({"k": ["a"]}, ["k=a", "k=a l=b"]),
        ({"k": ["c", "a"]}, ["k=a,c"]),
        ({"k": ["a"], "l": ["b"]}, ["k=a l=b"]),
        ({"k": ["a"], "m": ["x"]}, []),
    ],
)
@pytest.mark.parametrize("match", ["identity", "properties"])
def test_which_records_a_replace_matches_is_a_setting(cloudzero, match, keys, replaced):
    """By its identity it is only the record itself, the first one listed; by properties also those with more keys."""
    held = {"none": {}, "k=a": {"k": ["a"]}, "k=a l=b": {"k": ["a"], "l": ["b"]}}
    held |= {"k=a,c": {"k": ["a", "c"]}, "k=b": {"k": ["b"]}}
    elsewhere = [split(cloudzero, 1, "other", **filters) for filters in held.values()]
    elsewhere += [split(cloudzero, 1, timestamp="2024-09-02", **filters) for filters in held.values()]
    for one in [*(split(cloudzero, 1, **filters) for filters in held.values()), *elsewhere]:
        cloudzero.send([one], kind="allocation")
    given = {} if keys is None else {"filter": keys}
    cloudzero.set(replace_match=match, delete_match="exact")
    assert cloudzero.send([cloudzero.allocation(9, **given)], "replace", kind="allocation").status_code == 200
    gone = replaced if match == "properties" else replaced[:1]
    assert cloudzero.values().count("1") == len(elsewhere) + len(held) - len(gone)
    assert cloudzero.values().count("9") == 1
    assert cloudzero.telemetry()["orders"]["hidden"] == 0


def test_a_replace_by_properties_of_a_metric_replaces_records_with_its_keys(cloudzero):
    cloudzero.set(replace_match="properties")
    region = {"region": "eu"}
    records = [team(cloudzero, "a", 2, **region), team(cloudzero, "b", 3, **region), team(cloudzero, "a", 1)]
    for record in records:
        cloudzero.send([record])
    cloudzero.send([team(cloudzero, "a", 4), team(cloudzero, "c", 5)], "replace")
    assert sorted(cloudzero.values()) == ["3", "4", "5"]
    cloudzero.send([records[0]], "replace")
    assert sorted(cloudzero.values()) == ["2", "3", "4", "5"]
    cloudzero.send([cloudzero.metric(6)], "replace")
    assert cloudzero.values() == ["6"]


def test_a_replace_by_properties_brings_a_deleted_record_back_and_no_other(cloudzero):
    cloudzero.set(replace_match="properties")
    cloudzero.send([team(cloudzero, "a"), team(cloudzero, "b")])
    cloudzero.send([team(cloudzero, "a", region="eu")])
    cloudzero.send([{"timestamp": "2024-09-01"}], "delete")
    cloudzero.send([team(cloudzero, "a", 7)], "replace")
    stream = cloudzero.telemetry()["orders"]
    assert (cloudzero.values(), stream["hidden"]) == (["7"], 2)


class TestDelete:
    @pytest.fixture(autouse=True)
    def filled(self, cloudzero):
        self.cloudzero = cloudzero
        rows = [("a", "x", "t"), ("a", "y", "t"), ("b", "x", "t"), ("c", "z", "u")]
        for day in ("2024-09-01", "2024-09-02"):
            records = [split(cloudzero, 1, element, day, env=[env], team=[team]) for element, env, team in rows]
            cloudzero.send(records, kind="allocation")

    def delete(self, **record):
        record = {"timestamp": "2024-09-01", "granularity": "DAILY", **record}
        assert self.cloudzero.send([record], "delete", kind="allocation").status_code == 201
        stream = self.cloudzero.telemetry()["orders"]
        assert stream["records"] + stream["hidden"] == 8
        return stream["hidden"]

    def test_by_time_alone(self):
        assert self.delete(timestamp="2024-09-01T17:00:00Z") == 4

    @pytest.mark.parametrize(
        ("properties", "hidden"),
        [
            ({"element_name": "a"}, 2),
            ({"element_name": "A"}, 0),
            ({"filter": {"env": ["x"]}}, 2),
            ({"filter": {"env": ["x"], "team": ["t"]}}, 2),
            ({"filter": {"env": ["x"], "team": ["u"]}}, 0),
            ({"filter": {"env": ["x", "y"]}}, 0),
            ({"filter": {"other": ["x"]}}, 0),
            ({"filter": {}}, 4),
            ({"filter": "*"}, 4),
            ({"element_name": "a", "filter": {"env": ["x"]}}, 1),
            ({"timestamp": "2024-10-01"}, 0),
        ],
    )
    def test_every_property_narrows_it(self, properties, hidden):
        assert self.delete(**properties) == hidden

    @pytest.mark.parametrize(
        ("keys", "hidden"), [({"env": ["x"]}, 0), ({}, 0), ({"env": ["x"], "team": ["t"]}, 2), (None, 4)]
    )
    def test_matching_all_keys_is_a_setting(self, keys, hidden):
        self.cloudzero.set(delete_match="exact")
        assert self.delete(**({} if keys is None else {"filter": keys})) == hidden

    def test_a_repeated_delete_and_records_sent_after_it(self):
        assert self.delete(element_name="b") == 1
        assert self.delete(element_name="b") == 1
        cloudzero = self.cloudzero
        cloudzero.send([split(cloudzero, 9, "b", env=["x"], team=["t"])], "sum", kind="allocation")
        stream = cloudzero.telemetry()["orders"]
        assert (stream["records"], stream["hidden"], stream["total"]) == (8, 0, "16")

    def test_several_records_in_one_delete(self):
        records = [
            {"timestamp": "2024-09-01", "granularity": "DAILY", "element_name": element} for element in ("a", "b", "d")
        ]
        assert self.cloudzero.send(records, "delete", kind="allocation").status_code == 201
        assert self.cloudzero.telemetry()["orders"]["hidden"] == 3


def test_any_sequence_of_operations_agrees_with_a_plain_model(cloudzero):
    chance = random.Random(7)
    model = {}
    for _ in range(60):
        operation = chance.choice(["sum", "sum", "replace", "delete"])
        names = chance.sample("abcdefgh", chance.randint(1, 5))
        records = [team(cloudzero, name, chance.randint(1, 999) / 8) for name in names]
        for record in records:
            name, value = record["associated_cost"][TEAM], Decimal(record["value"])
            if operation == "delete":
                model.pop(name, None)
                del record["value"]
            else:
                model[name] = value + (model.get(name, 0) if operation == "sum" else 0)
        if operation == "delete" and not cloudzero.telemetry():
            continue
        assert cloudzero.send(records, operation).ok
    assert [Decimal(value) for value in cloudzero.values()] == [model[name] for name in sorted(model)]
    assert Decimal(cloudzero.telemetry()["orders"]["total"]) == sum(model.values())


def test_concurrent_requests_are_all_applied(cloudzero):
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: cloudzero.send([cloudzero.metric()]).status_code, range(40)))
    assert (set(replies), cloudzero.values()) == ({200}, ["40"])
