from __future__ import annotations

import pytest


def url(cloudzero, connection_id=""):
    return f"{cloudzero.url}/v2/connections/billing{connection_id and '/' + connection_id}"


def create(cloudzero, **body):
    return cloudzero.session.post(url(cloudzero), json=body)


def test_one_connection_in_the_documented_shape(cloudzero):
    connection = cloudzero.session.get(url(cloudzero, cloudzero.STREAM)).json()["connection"]
    assert sorted(connection) == sorted(
        ["id", "connection_id", "name", "connection_type", "cloud_provider", "s3_bucket_info",
         "expected_ingest_rate", "is_enabled", "capabilities", "is_draft", "created", "last_updated"]
    )  # fmt: skip
    assert connection["id"] == connection["connection_id"] == cloudzero.STREAM
    assert connection["name"] == "sandbox-stream"
    assert float(connection["created"]) > 0


def test_a_created_connection_is_a_stream_that_takes_drops(cloudzero):
    reply = create(cloudzero, name="new-stream_1", cloud_provider="MongoDB", is_enabled=False, expected_ingest_rate=12)
    connection = reply.json()["connection"]
    assert (reply.status_code, connection["is_enabled"], connection["expected_ingest_rate"]) == (
        200,
        False,
        12,
    )
    assert cloudzero.session.get(url(cloudzero, connection["id"])).json()["connection"] == connection
    assert cloudzero.post([cloudzero.row()], stream=connection["id"]).status_code == 200
    assert cloudzero.months(connection["id"])["2024-08"]["rows"] == 1


def test_a_bucket_connection_takes_no_drops(cloudzero):
    bucket = {"bucket_name": "b", "bucket_path": "p"}
    connection = create(cloudzero, name="bucket", cloud_provider="x", s3_bucket_info=bucket).json()["connection"]
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
        {"name": "a", "cloud_provider": "x", "extra": 1},
        {"name": "a", "cloud_provider": "x", "expected_ingest_rate": "1"},
        {"name": "a", "cloud_provider": "x", "s3_bucket_info": {"bucket_name": "b"}},
        {"name": 1, "cloud_provider": "x"},
    ],
)
def test_a_bad_connection_is_refused(cloudzero, body):
    before = cloudzero.session.get(url(cloudzero)).json()["pagination"]["total_count"]
    assert create(cloudzero, **body).status_code == 400
    assert cloudzero.session.get(url(cloudzero)).json()["pagination"]["total_count"] == before


@pytest.mark.parametrize("status", [400, 403, 404])
def test_an_unknown_connection(cloudzero, status):
    cloudzero.set(unknown_connection_status=status)
    replies = [
        cloudzero.post([cloudzero.row()], stream="nobody"),
        cloudzero.read(stream="nobody"),
        cloudzero.session.get(url(cloudzero, "nobody")),
    ]
    assert [reply.status_code for reply in replies] == [status] * 3
    assert "nobody" not in cloudzero.own("GET", "state").json()["streams"]


def test_the_list_is_read_page_by_page_forward_and_back(cloudzero):
    for number in range(3):
        create(cloudzero, name=f"page-{number}", cloud_provider="x")
    everything = cloudzero.session.get(url(cloudzero), params={"sort_key": "created"}).json()
    expected = [connection["id"] for connection in everything["connections"]]
    assert (everything["pagination"]["total_count"], everything["pagination"]["cursor"]["has_next"]) == (
        len(expected),
        False,
    )
    found, params = [], {"limit": 2, "sort_key": "created"}
    while params:
        page = cloudzero.session.get(url(cloudzero), params=params).json()
        found += [connection["id"] for connection in page["connections"]]
        cursor = page["pagination"]["cursor"]
        params = {"limit": 2, "cursor": cursor["next_cursor"]} if cursor["has_next"] else None
    assert found == expected
    back = cloudzero.session.get(url(cloudzero), params={"limit": 2, "cursor": cursor["previous_cursor"]}).json()
    assert back["connections"][-1]["id"] in expected
    assert back["pagination"]["item_count"] == 2


def test_the_list_is_sorted_as_asked(cloudzero):
    for name in ("zz", "AA", "mm"):
        create(cloudzero, name=name, cloud_provider="x")
    listed = cloudzero.session.get(url(cloudzero), params={"sort_key": "name", "sort_order": "desc"}).json()
    names = [connection["name"] for connection in listed["connections"]]
    assert names == sorted(names, reverse=True)
    assert listed["sorting"]["current"] == [{"sort_key": "name", "sort_order": "desc"}]


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "x"},
        {"limit": "-1"},
        {"cursor": "x"},
        {"cursor": "WzFd"},
        {"sort_key": "x"},
        {"sort_order": "up"},
    ],
)
def test_bad_list_parameters(cloudzero, query):
    assert cloudzero.session.get(url(cloudzero), params=query).status_code == 400
