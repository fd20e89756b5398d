from __future__ import annotations

import pytest
import requests


def test_one_connection_in_the_documented_shape(cloudzero):
    connection = cloudzero.session.get(cloudzero.connections_url(cloudzero.STREAM)).json()["connection"]
    assert sorted(connection) == sorted(
        ["id", "connection_id", "name", "connection_type", "cloud_provider", "s3_bucket_info",
         "expected_ingest_rate", "is_enabled", "capabilities", "is_draft", "created", "last_updated"]
    )  # fmt: skip
    assert connection["id"] == connection["connection_id"] == cloudzero.STREAM
    assert connection["name"] == "sandbox-stream"
    assert float(connection["created"]) > 0


def test_a_created_connection_is_a_stream_that_accepts_drops(cloudzero):
    reply = cloudzero.create_connection(
        name="new-stream_1", cloud_provider="MongoDB", is_enabled=False, expected_ingest_rate=12
    )
    connection = reply.json()["connection"]
    assert (reply.status_code, connection["is_enabled"], connection["expected_ingest_rate"]) == (
        200,
        False,
        12,
    )
    assert cloudzero.session.get(cloudzero.connections_url(connection["id"])).json()["connection"] == connection
    assert cloudzero.post([cloudzero.row()], stream=connection["id"]).status_code == 200
    assert cloudzero.months(connection["id"])["2024-08"]["rows"] == 1


def test_a_bucket_connection_accepts_no_drops(cloudzero):
    bucket = {"bucket_name": "b", "bucket_path": "p"}
    connection = cloudzero.create_connection(name="bucket", cloud_provider="x", s3_bucket_info=bucket).json()[
        "connection"
    ]
    assert connection["s3_bucket_info"] == bucket
    assert cloudzero.post([cloudzero.row()], stream=connection["id"]).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "a"},
        {"cloud_provider": "a"},
        {"name": "a b", "cloud_provider": "x"},
        {"name": "a.b", "cloud_provider": "x"},
        {"name": "a", "cloud_provider": ""},
        {"name": "a", "cloud_provider": "x", "is_enabled": "yes"},
        {"name": "a", "cloud_provider": "x", "expected_ingest_rate": "1"},
        {"name": "a", "cloud_provider": "x", "s3_bucket_info": {"bucket_name": "b"}},
        {"name": 1, "cloud_provider": "x"},
        {"name": "a", "cloud_provider": "\ud800"},
    ],
)
def test_a_bad_connection_is_refused(cloudzero, body):
    before = cloudzero.session.get(cloudzero.connections_url()).json()["pagination"]["total_count"]
    assert cloudzero.create_connection(**body).status_code == 400
    assert cloudzero.session.get(cloudzero.connections_url()).json()["pagination"]["total_count"] == before


@pytest.mark.parametrize("status", [400, 403, 404])
def test_an_unknown_connection(cloudzero, status):
    cloudzero.set(unknown_connection_status=status)
    replies = [
        cloudzero.post([cloudzero.row()], stream="nobody"),
        cloudzero.read(stream="nobody"),
        cloudzero.session.get(cloudzero.connections_url("nobody")),
    ]
    assert [reply.status_code for reply in replies] == [status] * 3
    assert "nobody" not in cloudzero.own("GET", "state").json()["streams"]


BUCKET = {"bucket_name": "b", "bucket_path": "p", "cloud_account_id": "1"}


def bucket(cloudzero, **body):
    made = cloudzero.create_connection(**{"name": "bucket", "cloud_provider": "x", "s3_bucket_info": BUCKET, **body})
    return made.json()["connection"]


@pytest.mark.parametrize(
    ("change", "changed"),
    [
        ({"name": "renamed"}, {"name": "renamed"}),
        ({"is_enabled": False}, {"is_enabled": False}),
        ({"expected_ingest_rate": 6.5}, {"expected_ingest_rate": 6.5}),
        ({"expected_ingest_rate": None}, {"expected_ingest_rate": 24}),
        ({"s3_bucket_info": {"bucket_path": "q"}}, {"s3_bucket_info": {**BUCKET, "bucket_path": "q"}}),
        (
            {"s3_bucket_info": {"cloud_account_id": None}},
            {"s3_bucket_info": {"bucket_name": "b", "bucket_path": "p"}},
        ),
        ({"s3_bucket_info": None}, {}),
        ({}, {}),
    ],
)
def test_a_bucket_connection_is_changed(cloudzero, change, changed):
    before = bucket(cloudzero, expected_ingest_rate=12)
    reply = cloudzero.session.patch(cloudzero.connections_url(before["id"]), json=change)
    after = reply.json()["connection"]
    assert (reply.status_code, list(reply.json())) == (200, ["connection"])
    assert float(after["last_updated"]) >= float(before["last_updated"])
    assert after == {**before, **changed, "last_updated": after["last_updated"]}
    assert cloudzero.session.get(cloudzero.connections_url(before["id"])).json() == reply.json()


@pytest.mark.parametrize(
    "change",
    [
        {"name": "a b"},
        {"name": None},
        {"is_enabled": "yes"},
        {"expected_ingest_rate": "1"},
        {"s3_bucket_info": {"bucket_name": None}},
        {"s3_bucket_info": {"bucket_path": 1}},
        {"s3_bucket_info": []},
        [],
        "{",
    ],
)
def test_a_bad_change_is_refused_and_changes_nothing(cloudzero, change):
    before = bucket(cloudzero)
    body = {"data": change} if isinstance(change, str) else {"json": change}
    headers = {"Content-Type": "application/json"}
    reply = cloudzero.session.patch(cloudzero.connections_url(before["id"]), headers=headers, **body)
    assert (reply.status_code, sorted(reply.json()["error"])) == (400, ["message", "type"])
    assert cloudzero.session.get(cloudzero.connections_url(before["id"])).json()["connection"] == before


def test_a_stream_connection_cannot_be_changed(cloudzero):
    """CloudZero says that only AnyCost Bucket connections can."""
    reply = cloudzero.session.patch(cloudzero.connections_url(cloudzero.STREAM), json={"name": "renamed"})
    assert (reply.status_code, "Only AnyCost Bucket" in reply.json()["error"]["message"]) == (400, True)
    assert (
        cloudzero.session.get(cloudzero.connections_url(cloudzero.STREAM)).json()["connection"]["name"]
        == "sandbox-stream"
    )


def test_a_created_connection_can_be_deleted(cloudzero):
    for connection in (
        bucket(cloudzero),
        cloudzero.create_connection(name="stream", cloud_provider="x").json()["connection"],
    ):
        cloudzero.post([cloudzero.row()], stream=connection["id"])
        reply = cloudzero.session.delete(cloudzero.connections_url(connection["id"]))
        assert (reply.status_code, reply.json()) == (200, {"connection": connection})
        gone = [
            cloudzero.session.get(cloudzero.connections_url(connection["id"])),
            cloudzero.session.delete(cloudzero.connections_url(connection["id"])),
            cloudzero.session.patch(cloudzero.connections_url(connection["id"]), json={}),
            cloudzero.post([cloudzero.row()], stream=connection["id"]),
            cloudzero.read(stream=connection["id"]),
        ]
        assert [answer.status_code for answer in gone] == [400] * 5
        listed = cloudzero.session.get(cloudzero.connections_url(), params={"limit": 1000}).json()["connections"]
        assert connection["id"] not in [other["id"] for other in listed]
        assert connection["id"] not in cloudzero.own("GET", "state").json()["streams"]
        assert cloudzero.session.get(f"{cloudzero.url}/").status_code == 200


def test_deleting_a_stream_deletes_its_data_only(start):
    sandbox, cloudzero = start("--connection", "short-lived")
    for stream in ("short-lived", cloudzero.STREAM):
        cloudzero.post([cloudzero.row("5")], stream=stream)
    assert cloudzero.session.delete(cloudzero.connections_url("short-lived")).status_code == 200
    assert cloudzero.costs() == ["5"]
    sandbox.end()
    _, cloudzero = start("--connection", "short-lived")
    assert (cloudzero.months("short-lived"), cloudzero.costs()) == ({}, ["5"])


def test_changing_and_deleting_need_their_own_scopes(start):
    _, cloudzero = start("--api-key", "update-only-key:connections:update_billing")
    connection = bucket(cloudzero)
    cloudzero.session.headers["Authorization"] = "update-only-key"
    assert cloudzero.session.patch(cloudzero.connections_url(connection["id"]), json={}).status_code == 200
    reply = cloudzero.session.delete(cloudzero.connections_url(connection["id"]))
    assert (reply.status_code, "connections:delete_billing" in reply.json()["message"]) == (403, True)


def test_a_fault_can_be_armed_for_a_change(cloudzero):
    connection = bucket(cloudzero)
    cloudzero.arm({"kind": "refuse", "method": "PATCH", "status": 500})
    statuses = [
        cloudzero.session.patch(cloudzero.connections_url(connection["id"]), json={}).status_code for _ in range(2)
    ]
    assert statuses == [500, 200]


def test_a_delayed_drop_is_not_applied_to_a_deleted_connection(start):
    sandbox, cloudzero = start("--connection", "short-lived")
    cloudzero.arm({"kind": "lose_reply_then_apply", "seconds": 0.3})
    with pytest.raises(requests.ConnectionError):
        cloudzero.post([cloudzero.row()], stream="short-lived")
    assert cloudzero.session.delete(f"{cloudzero.url}/v2/connections/billing/short-lived").status_code == 200
    cloudzero.wait_for(lambda: cloudzero.requests()[0]["ended"])
    sandbox.end()
    _, cloudzero = start("--connection", "short-lived")
    assert cloudzero.months("short-lived") == {}
