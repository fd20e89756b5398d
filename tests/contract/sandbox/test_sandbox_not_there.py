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
def test_an_endpoint_of_cloudzeros_that_is_not_here(cloudzero, method, path):
    body = {"json": {"records": []}} if method in ("POST", "PATCH", "PUT") else {}
    reply = cloudzero.session.request(method, cloudzero.url + path, timeout=10, **body)
    assert (reply.status_code, reply.json()) == (501, {"error": WORDS})
    cloudzero.session.headers["Authorization"] = "wrong"
    assert cloudzero.session.request(method, cloudzero.url + path, timeout=10, **body).status_code == 403


@pytest.mark.parametrize("path", ["/v2/nothing", "/v2/billing", "/v2/budgetsx", "/v2/views-1", "/v3/budgets"])
def test_what_cloudzero_does_not_have_is_not_found(cloudzero, path):
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
def test_a_method_that_a_path_does_not_have(cloudzero, method, path, allowed):
    reply = cloudzero.session.request(method, cloudzero.url + path, timeout=10)
    assert (reply.status_code, reply.headers["Allow"]) == (405, allowed)
