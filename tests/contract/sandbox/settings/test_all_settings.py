from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    "body",
    [
        {"no_such": 1},
        {"concurrent_status": 418},
        {"gzip": "maybe"},
        {"body_limit": 0},
        {"body_limit": "x"},
        {"body_limit": 1.5},
        {"read_lag_seconds": -1},
        {"read_lag_seconds": "nan"},
        {"read_lag_seconds": "inf"},
        {"gzip": None},
        {"body_limit": True},
        [],
    ],
)
def test_an_invalid_setting_is_refused_and_nothing_changes(cloudzero, body):
    before = cloudzero.own("GET", "settings").json()
    reply = cloudzero.own("POST", "settings", json={"row_count_means": "request", **body} if body else body)
    assert reply.status_code == 400
    assert cloudzero.own("GET", "settings").json() == before


def test_a_refusal_lists_the_possible_values(cloudzero):
    messages = [
        cloudzero.own("POST", "settings", json=body).json()["error"]["message"]
        for body in ({"x": 1}, {"concurrent_status": 1}, {"gzip": "x"})
    ]
    assert "concurrent_status" in messages[0]
    assert "409, 400, 423, 425, 429, 503" in messages[1]
    assert "accept, refuse" in messages[2]


def test_every_setting_lists_its_possible_values(cloudzero):
    shown = cloudzero.own("GET", "settings").json()
    assert sorted(shown["settings"]) == sorted(shown["possible"])
    for name, possible in shown["possible"].items():
        assert isinstance(possible, str) or shown["settings"][name] in possible
