from __future__ import annotations

import pytest


def test_the_list_is_read_page_by_page_forward_and_back(cloudzero):
    for number in range(3):
        cloudzero.create_connection(name=f"page-{number}", cloud_provider="x")
    everything = cloudzero.session.get(cloudzero.connections_url(), params={"sort_key": "created"}).json()
    expected = [connection["id"] for connection in everything["connections"]]
    assert (everything["pagination"]["total_count"], everything["pagination"]["cursor"]["has_next"]) == (
        len(expected),
        False,
    )
    found, params = [], {"limit": 2, "sort_key": "created"}
    while params:
        page = cloudzero.session.get(cloudzero.connections_url(), params=params).json()
        found += [connection["id"] for connection in page["connections"]]
        cursor = page["pagination"]["cursor"]
        params = {"limit": 2, "cursor": cursor["next_cursor"]} if cursor["has_next"] else None
    assert found == expected
    back = cloudzero.session.get(
        cloudzero.connections_url(), params={"limit": 2, "cursor": cursor["previous_cursor"]}
    ).json()
    assert back["connections"][-1]["id"] in expected
    assert back["pagination"]["item_count"] == 2


def test_the_list_is_sorted_as_requested(cloudzero):
    for name in ("zz", "AA", "mm"):
        cloudzero.create_connection(name=name, cloud_provider="x")
    listed = cloudzero.session.get(
        cloudzero.connections_url(), params={"sort_key": "name", "sort_order": "desc"}
    ).json()
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
    assert cloudzero.session.get(cloudzero.connections_url(), params=query).status_code == 400
