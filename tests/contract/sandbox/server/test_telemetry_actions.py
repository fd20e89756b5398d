from __future__ import annotations

import pytest

PAGE_METRIC = [
    {"timestamp": "2024-09-01", "value": 2717, "associated_cost": {"custom:Engineering Team": "Leonardo"}},
    {"timestamp": "2024-09-01", "value": 2779, "associated_cost": {"custom:Engineering Team": "Raphael"}},
    {"timestamp": "2024-09-01", "value": 6242, "associated_cost": {"custom:Engineering Team": "Michelangelo"}},
]

PAGE_ALLOCATION = [
    {"timestamp": "2024-09-01", "granularity": "DAILY", "value": 100045, "element_name": "Email"},
    {"timestamp": "2024-09-01", "granularity": "DAILY", "value": 1000600, "element_name": "Messaging"},
]

# The examples of the schemas' fields, and what CloudZero's own command line tool sends.
SCHEMA_METRIC = [{"timestamp": "2020-03-03T15:32:44+00:00", "value": 16.4, "granularity": "DAILY"}]

SCHEMA_ALLOCATION = [
    {
        "timestamp": "2020-03-03T15:32:44+00:00",
        "granularity": "HOURLY",
        "value": 16.4,
        "element_name": "Adidas",
        "filter": "*",
    }
]

TOOL_ALLOCATION = [
    {
        "timestamp": "2024-02-09 00:00:00+00:00",
        "granularity": "DAILY",
        "element_name": "Hooli",
        "filter": {"custom:Environment": ["Production"]},
        "value": "23.0000",
    }
]


@pytest.mark.parametrize(
    ("kind", "records", "total"),
    [
        ("metric", PAGE_METRIC, "11738"),
        ("allocation", PAGE_ALLOCATION, "1100645"),
        ("metric", SCHEMA_METRIC, "16.4"),
        ("allocation", SCHEMA_ALLOCATION, "16.4"),
        ("allocation", TOOL_ALLOCATION, "23"),
    ],
)
def test_published_examples_are_accepted_by_every_operation(cloudzero, kind, records, total):
    for operation in ("sum", "replace", "sum"):
        reply = cloudzero.send(records, operation, "s", kind)
        assert (reply.status_code, reply.content) == (200, b"")
    stream = cloudzero.telemetry()["s"]
    assert (stream["kind"], stream["records"], float(stream["total"])) == (kind, len(records), 2 * float(total))
    without = [{name: record[name] for name in record if name != "value"} for record in records]
    assert cloudzero.send(without, "delete", "s", kind).status_code == 201
    assert (cloudzero.telemetry()["s"]["records"], cloudzero.telemetry()["s"]["hidden"]) == (0, len(records))


@pytest.mark.parametrize("name", ["a%20b", "a%2Fb", "%C3%A9", "a" * 257, "a%0A", "a:b", "a%00"])
def test_a_name_has_letters_digits_underscores_dots_and_hyphens(cloudzero, name):
    assert cloudzero.send([cloudzero.metric()], name=name).status_code == 400
    assert cloudzero.submitted(name).status_code == 400
    assert cloudzero.processed(name).status_code == 400
    assert cloudzero.session.delete(cloudzero.telemetry_url(name)).status_code == 400
    assert cloudzero.telemetry() == {}


def test_the_longest_name_and_its_case(cloudzero):
    for name in ("a" * 256, "A" * 256):
        assert cloudzero.send([cloudzero.metric()], name=name).status_code == 200
    assert len(cloudzero.telemetry()) == 2


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "metric/orders/sum", "unit-cost_v1:manage_telemetry_records"),
        ("POST", "allocation/orders", "unit-cost_v1:manage_telemetry_records"),
        ("POST", "metric/orders/delete", "unit-cost_v1:manage_telemetry_records"),
        ("GET", "metric/orders", "unit-cost_v1:read_telemetry"),
        ("GET", "orders/records", "unit-cost_v1:read_telemetry"),
        ("DELETE", "orders", "unit-cost_v1:delete_telemetry_stream"),
    ],
)
def test_every_endpoint_needs_its_scope(cloudzero, method, path, scope):
    cloudzero.session.headers["Authorization"] = cloudzero.READER_KEY
    reply = cloudzero.session.request(method, cloudzero.telemetry_url(path), json={})
    assert (reply.status_code, list(reply.json())) == (403, ["message"])
    assert reply.json()["message"].endswith(f"{scope}.")
    cloudzero.session.headers["Authorization"] = f"Bearer {cloudzero.KEY}"
    assert cloudzero.session.request(method, cloudzero.telemetry_url(path), json={}).json() == {"message": "Forbidden"}


def test_a_key_with_the_scope_is_accepted(start):
    _, cloudzero = start("--api-key", "sender:unit-cost_v1:manage_telemetry_records")
    cloudzero.session.headers["Authorization"] = "sender"
    assert cloudzero.send([cloudzero.metric()]).status_code == 200
    assert cloudzero.submitted().status_code == 403


def test_idempotency_keys_are_ignored(cloudzero):
    for _ in range(2):
        cloudzero.send([cloudzero.metric()], headers={"cloudzero-idempotency-key": "k"})
    assert cloudzero.values() == ["2"]


def test_a_test_key_is_refused_and_nothing_is_stored(cloudzero):
    assert cloudzero.send([cloudzero.metric()], headers={"cloudzero-test-key": "x"}).status_code == 400
    assert cloudzero.telemetry() == {}


@pytest.mark.parametrize(
    ("settings", "sent", "deleted", "text"),
    [
        ({}, 200, 201, ""),
        ({"telemetry_success_body": "text"}, 200, 201, "Telemetry accepted"),
        ({"telemetry_success_body": "json", "telemetry_success_status": "202"}, 202, 202, '{"message": "Telemetry'),
        ({"telemetry_success_body": "json", "telemetry_success_status": "204"}, 204, 204, ""),
    ],
)
def test_the_reply_to_accepted_records(cloudzero, settings, sent, deleted, text):
    cloudzero.set(**settings)
    reply = cloudzero.send([cloudzero.metric()])
    assert reply.status_code == sent
    assert reply.text.startswith(text)
    assert bool(text) == bool(reply.content)
    assert cloudzero.send([{"timestamp": "2024-09-01"}], "delete").status_code == deleted


class TestDeletingAStream:
    def delete(self, cloudzero, body=None, **options):
        return cloudzero.session.delete(cloudzero.telemetry_url("orders"), json=body, timeout=10, **options)

    def test_a_stream_with_data_needs_force(self, cloudzero):
        cloudzero.send([cloudzero.metric()])
        for body in (None, {}, {"force": False}):
            assert self.delete(cloudzero, body).status_code == 400
        assert cloudzero.values() == ["1"]
        assert self.delete(cloudzero, {"force": True}).status_code == 200
        assert cloudzero.telemetry() == {}
        assert (cloudzero.requests()[-1]["method"], cloudzero.requests()[-1]["applied"]) == ("DELETE", True)

    def test_without_data_or_with_the_setting_force_is_not_needed(self, cloudzero):
        cloudzero.set(deleted_name_seconds=0)
        cloudzero.send([cloudzero.metric()])
        cloudzero.send([{"timestamp": "2024-09-01"}], "delete")
        assert self.delete(cloudzero).status_code == 200
        cloudzero.set(delete_stream_with_data="allowed")
        cloudzero.send([cloudzero.metric()])
        assert self.delete(cloudzero).status_code == 200

    @pytest.mark.parametrize("body", [[], "force", {"force": 1}, {"force": "true"}, {"force": True, "x": 1}])
    def test_the_body_has_one_boolean(self, cloudzero, body):
        cloudzero.send([cloudzero.metric()])
        assert self.delete(cloudzero, body).status_code == 400
        assert self.delete(cloudzero, None, data=b"{", headers={"Content-Type": "application/json"}).status_code == 400
        assert cloudzero.values() == ["1"]

    def test_the_name_is_blocked_for_a_while(self, cloudzero):
        cloudzero.set(deleted_name_seconds=0.5)
        cloudzero.send([cloudzero.metric()])
        self.delete(cloudzero, {"force": True})
        reply = cloudzero.send([cloudzero.metric()])
        assert (reply.status_code, "being deleted" in reply.text) == (400, True)
        assert (cloudzero.submitted().status_code, cloudzero.processed().status_code) == (404, 404)
        cloudzero.wait_for(lambda: cloudzero.send([cloudzero.allocation(7)], kind="allocation").status_code == 200)
        assert (cloudzero.values(), cloudzero.telemetry()["orders"]["kind"]) == (["7"], "allocation")

    @pytest.mark.parametrize("status", [400, 404, 200])
    def test_an_unknown_stream(self, cloudzero, status):
        cloudzero.set(unknown_stream_delete_status=status)
        assert self.delete(cloudzero).status_code == status
        assert not cloudzero.requests()[-1]["applied"]
