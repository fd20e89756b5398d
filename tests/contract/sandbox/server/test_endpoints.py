"""What CloudZero has and the sandbox has not is said as such: a 404 would mean that CloudZero has none of it."""

from __future__ import annotations

import pytest

WORDS = {"message": "CloudZero has this endpoint, but the sandbox does not implement it.", "type": "NotInTheSandbox"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v2/billing/costs"),
        ("GET", "/v2/billing/costs?start_date=2024-08-01&granularity=daily"),
        ("GET", "/v2/billing/dimensions"),
        ("GET", "/v2/budgets"),
        ("POST", "/v2/budgets"),
        ("GET", "/v2/budgets/b-1"),
        ("PATCH", "/v2/budgets/b-1"),
        ("DELETE", "/v2/budgets/b-1"),
        ("GET", "/v2/insights?limit=1"),
        ("POST", "/v2/insights"),
        ("PUT", "/v2/insights/i-1"),
        ("GET", "/v2/insights/i-1/comments"),
        ("GET", "/v2/views"),
        ("DELETE", "/v2/views/v-1"),
        ("GET", "/v2/costformation/definition/versions"),
        ("POST", "/v2/optimize/recommendations"),
        ("POST", "/unit-cost/v1/telemetry"),
        ("POST", "/v1/container-metrics"),
    ],
)
def test_endpoints_that_the_sandbox_does_not_implement(cloudzero, method, path):
    body = {"json": {"records": []}} if method in ("POST", "PATCH", "PUT") else {}
    reply = cloudzero.session.request(method, cloudzero.url + path, timeout=10, **body)
    assert (reply.status_code, reply.json()) == (501, {"error": WORDS})
    cloudzero.session.headers["Authorization"] = "wrong"
    assert cloudzero.session.request(method, cloudzero.url + path, timeout=10, **body).status_code == 403


@pytest.mark.parametrize("path", ["/v2/nothing", "/v2/billing", "/v2/budgetsx", "/v2/views-1", "/v3/budgets"])
def test_unknown_paths_are_not_found(cloudzero, path):
    assert cloudzero.session.get(cloudzero.url + path, timeout=10).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v2/connections/billing", "GET, POST, HEAD"),
        ("OPTIONS", "/v2/connections/billing/x", "GET, PATCH, DELETE, HEAD"),
        ("GET", "/unit-cost/v1/telemetry", "POST"),
        ("POST", "/v2/billing/costs", "GET, HEAD"),
    ],
)
def test_a_method_that_a_path_does_not_allow(cloudzero, method, path, allowed):
    reply = cloudzero.session.request(method, cloudzero.url + path, timeout=10)
    assert (reply.status_code, reply.headers["Allow"]) == (405, allowed)


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/v2/nothing", 404), ("PUT", "/v2/connections/billing", 405)]
)
def test_unknown_paths_and_methods_are_logged(cloudzero, method, path, status):
    assert cloudzero.session.request(method, cloudzero.url + path).status_code == status
    assert cloudzero.requests()[-1]["path"] == path


@pytest.mark.parametrize("kind", ["metric", "allocation"])
def test_the_path_without_an_operation_is_a_sum(cloudzero, kind):
    record = cloudzero.metric() if kind == "metric" else cloudzero.allocation()
    for _ in range(2):
        url = cloudzero.telemetry_url(f"{kind}/orders")
        assert cloudzero.session.post(url, json={"records": [record]}).status_code == 200
    assert cloudzero.values() == ["2"]
    assert [request["operation"] for request in cloudzero.requests()] == ["sum", "sum"]


@pytest.mark.parametrize("name", ["records", "sum", "replace", "delete", "metric", "allocation", ".", "..", "a.b-c_1"])
def test_streams_named_like_fixed_parts_of_the_path(cloudzero, name):
    quoted = name.replace(".", "%2E") if name.startswith(".") else name
    assert cloudzero.send([cloudzero.metric()], name=quoted).status_code == 200
    assert list(cloudzero.telemetry()) == [name]
    cloudzero.set(processed_after_seconds=0)
    assert len(cloudzero.submitted(quoted).json()["records"]) == 1
    if name != "metric":
        assert len(cloudzero.processed(quoted).json()["records"]) == 1
    url = cloudzero.telemetry_url(quoted)
    assert cloudzero.session.delete(url, json={"force": True}).status_code == 200
    assert cloudzero.telemetry() == {}


def test_fixed_parts_of_the_path_precede_names(cloudzero):
    cloudzero.set(processed_after_seconds=0)
    cloudzero.send([cloudzero.metric(1)], name="records")
    cloudzero.send([cloudzero.metric(2)], name="metric")
    reply = cloudzero.session.get(cloudzero.telemetry_url("metric/records"))
    assert [record["value"] for record in reply.json()["records"]] == [1]
    assert cloudzero.requests()[-1]["stream"] == "records"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "", 404),
        ("POST", "metric", 405),
        ("POST", "metric/a/update", 404),
        ("POST", "other/a/sum", 404),
        ("GET", "allocation/a", 405),
        ("GET", "a", 405),
        ("PUT", "metric/a/sum", 405),
        ("GET", "metric/a/sum", 405),
        ("POST", "metric/a/sum/", 404),
    ],
)
def test_paths_that_cloudzero_does_not_have(cloudzero, method, path, status):
    reply = cloudzero.session.request(method, cloudzero.telemetry_url(path), json={"records": [cloudzero.metric()]})
    assert reply.status_code == status
    assert cloudzero.telemetry() == {}
